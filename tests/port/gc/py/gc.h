// What the collected heap wants of MicroPython's headers, for its test on the host: the heap's interface.
#ifndef TEST_GC_H
#define TEST_GC_H

#include <stdbool.h>
#include <stddef.h>

typedef struct { int unused; } mp_print_t;
enum { GC_ALLOC_FLAG_HAS_FINALISER = 1 };
typedef struct { size_t total, used, free, max_free, num_1block, num_2block, max_block, max_new_split; } gc_info_t;

size_t gc_get_max_new_split(void);
void gc_lock(void);
void gc_unlock(void);
bool gc_is_locked(void);
void gc_collect(void);
void gc_collect_start(void);
void gc_collect_root(void **ptrs, size_t len);
void gc_collect_end(void);
void gc_sweep_all(void);
void *gc_alloc(size_t n_bytes, unsigned int alloc_flags);
void gc_free(void *ptr);
size_t gc_nbytes(const void *ptr);
void *gc_realloc(void *ptr, size_t n_bytes, bool allow_move);
void gc_info(gc_info_t *info);
void gc_dump_info(const mp_print_t *print);
void gc_dump_alloc_table(const mp_print_t *print);

#endif
