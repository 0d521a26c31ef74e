// Small memory that is neither collected nor moved: kmem.c.
#ifndef KEELBACK_PORT_KMEM_H
#define KEELBACK_PORT_KMEM_H

#include <stddef.h>

void *kmem_alloc(size_t len);           // 32-byte aligned, not zeroed; NULL: no memory
void kmem_free(void *p, size_t len);    // len as it was asked for; p may be NULL
void *kmem_grow(void *p, size_t len, size_t new_len);   // moves the contents; NULL: p stays as it is
size_t kmem_cost(size_t len);           // bytes that an allocation really takes

#endif
