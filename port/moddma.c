// mem.dma(): physically contiguous memory for devices, outside of the collected heap.
//
// The collector never frees it: a device may still write there, and a view of it holds no reference.
// It goes back when .free() is called, or at a soft reset. Drivers must stop their device before.
// In an SEV-SNP guest it is shared with the host, which other memory never is (boot/shared.c).

#include <string.h>

#include "py/binary.h"
#include "py/objarray.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "args.h"
#include "moddma.h"

typedef struct dma {
    mp_obj_base_t base;
    struct dma *next;       // of those not freed yet
    size_t len, pages;
    uint8_t *run;           // what device_alloc gave; NULL once freed
    uint8_t *start;         // the aligned part of it
} dma_t;

static const mp_obj_type_t dma_type;

mp_obj_t mem_view_new(uint64_t addr, size_t len, bool writable) {
    int typecode = 'B' | (writable ? MP_OBJ_ARRAY_TYPECODE_FLAG_RW : 0);
    return mp_obj_new_memoryview(typecode, len, (void *)addr);
}

// dma(size, align=4096, zeroed=True) -> object with .addr, .view and .free(). Not zeroed: whatever was there, to be cleared
// before a device gets it. MemoryError: no run of pages is that long.
static mp_obj_t mem_dma(size_t n_args, const mp_obj_t *args) {
    size_t len = arg_bits(args[0], 48);
    size_t align = n_args > 1 ? arg_bits(args[1], 48) : PAGE_SIZE;
    if (len == 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("size must not be 0"));
    }
    if (align == 0 || (align & (align - 1)) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("align must be a power of two"));
    }
    size_t slack = align > PAGE_SIZE ? align - PAGE_SIZE : 0;
    dma_t *dma = mp_obj_malloc(dma_t, &dma_type);
    dma->len = len;
    dma->pages = (len + slack + PAGE_SIZE - 1) / PAGE_SIZE;
    dma->run = device_alloc(dma->pages);
    if (dma->run == NULL) {
        mp_raise_msg_varg(&mp_type_MemoryError, MP_ERROR_TEXT("no %lu bytes of contiguous memory"), dma->pages * PAGE_SIZE);
    }
    if (n_args < 3 || mp_obj_is_true(args[2])) {
        memset(dma->run, 0, dma->pages * PAGE_SIZE);
    }
    dma->start = (uint8_t *)(((uintptr_t)dma->run + align - 1) & ~(uintptr_t)(align - 1));
    dma->next = MP_STATE_PORT(dma_list);
    MP_STATE_PORT(dma_list) = dma;
    return MP_OBJ_FROM_PTR(dma);
}
MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(mem_dma_obj, 1, 3, mem_dma);

// free(): give the memory back; views of it must not be used any more. Twice does nothing.
static mp_obj_t dma_free(mp_obj_t self_in) {
    dma_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->run == NULL) {
        return mp_const_none;
    }
    dma_t **link = &MP_STATE_PORT(dma_list);
    while (*link != self) {
        link = &(*link)->next;
    }
    *link = self->next;
    device_free(self->run, self->pages);
    self->run = NULL;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(dma_free_obj, dma_free);

void dma_free_all(void) {
    for (dma_t *dma = MP_STATE_PORT(dma_list); dma != NULL; dma = dma->next) {
        device_free(dma->run, dma->pages);
    }
    MP_STATE_PORT(dma_list) = NULL;
}

static void dma_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    dma_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;     // read-only
    }
    if (attr != MP_QSTR_addr && attr != MP_QSTR_view) {
        dest[1] = MP_OBJ_SENTINEL;      // look among the methods
        return;
    }
    if (self->run == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("memory was freed"));
    }
    dest[0] = attr == MP_QSTR_addr ? mp_obj_new_int_from_uint((uintptr_t)self->start)
        : mem_view_new((uintptr_t)self->start, self->len, true);
}

static const mp_rom_map_elem_t dma_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_free), MP_ROM_PTR(&dma_free_obj) },
};
static MP_DEFINE_CONST_DICT(dma_locals, dma_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    dma_type, MP_QSTR_dma, MP_TYPE_FLAG_NONE, attr, dma_attr, locals_dict, &dma_locals);

MP_REGISTER_ROOT_POINTER(struct dma *dma_list);
