// Module mem: the machine's memory at exact width, and what is where.
//
// Every address is looked up in the page tables first: OSError(EFAULT) instead of a page fault.
// Registers of devices may lie behind an address, so an access is one instruction of that width.

#include "py/mperrno.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "args.h"
#include "moddma.h"

extern char image_start[], text_start[], text_end[];    // boot/keelback.lds

static uint64_t checked(mp_obj_t addr_in, uint64_t len, int attr) {
    uint64_t addr = arg_addr(addr_in);
    if (!map_check(addr, len, attr)) {
        mp_raise_OSError(MP_EFAULT);
    }
    return addr;
}

// For machine.mem8, mem16 and mem32, which want aligned addresses.
static uintptr_t aligned(mp_obj_t addr_in, unsigned len, int attr) {
    if ((arg_addr(addr_in) & (len - 1)) != 0) {
        mp_raise_ValueError(MP_ERROR_TEXT("address is not aligned"));
    }
    return checked(addr_in, len, attr);
}

uintptr_t machine_mem_read_addr(void *addr_in, unsigned len) {
    return aligned(addr_in, len, MAP_R);
}

uintptr_t machine_mem_write_addr(void *addr_in, unsigned len) {
    return aligned(addr_in, len, MAP_R | MAP_W);
}

// Registers of a device that an SEV-SNP guest asks its host for, instead of raising #VC. What crosses a page still does.
static bool device(uint64_t addr, unsigned len) {
    return ghcb_live && (map_attr(addr) & MAP_UC) && (addr & (PAGE_SIZE - 1)) + len <= PAGE_SIZE;
}

// rN(addr) -> value, wN(addr, value): one access of N bits.
#define ACCESS(bits, mov) \
    static mp_obj_t mem_r##bits(mp_obj_t addr_in) { \
        uint##bits##_t value; \
        uint64_t addr = checked(addr_in, bits / 8, MAP_R); \
        if (device(addr, bits / 8)) { \
            return mp_obj_new_int_from_uint(host_read(addr, bits / 8)); \
        } \
        __asm__ volatile (mov " (%1), %0" : "=q" (value) : "r" (addr) : "memory"); \
        return mp_obj_new_int_from_uint(value); \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_1(mem_r##bits##_obj, mem_r##bits); \
    static mp_obj_t mem_w##bits(mp_obj_t addr_in, mp_obj_t value_in) { \
        uint##bits##_t value = arg_bits(value_in, bits); \
        uint64_t addr = checked(addr_in, bits / 8, MAP_R | MAP_W); \
        if (device(addr, bits / 8)) { \
            host_write(addr, bits / 8, value); \
            return mp_const_none; \
        } \
        __asm__ volatile (mov " %0, (%1)" : : "q" (value), "r" (addr) : "memory"); \
        return mp_const_none; \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_2(mem_w##bits##_obj, mem_w##bits)

ACCESS(8, "movb");
ACCESS(16, "movw");
ACCESS(32, "movl");
ACCESS(64, "movq");

// view(addr, n) -> memoryview of n bytes, writable where the pages are. It holds no claim on them.
static mp_obj_t mem_view(mp_obj_t addr_in, mp_obj_t len_in) {
    uint64_t len = arg_bits(len_in, 48);
    uint64_t addr = checked(addr_in, len, MAP_R);
    return mem_view_new(addr, len, map_check(addr, len, MAP_R | MAP_W));
}
static MP_DEFINE_CONST_FUN_OBJ_2(mem_view_obj, mem_view);

// attr(addr) -> "r-x", "rw-" …, followed by "u" where uncached, "s" where the host of an SEV-SNP guest shares the page; None where
// nothing is mapped
static mp_obj_t mem_attr(mp_obj_t addr_in) {
    int attr = map_attr(arg_addr(addr_in));
    if (attr < 0) {
        return mp_const_none;
    }
    char s[] = {
        attr & MAP_R ? 'r' : '-', attr & MAP_W ? 'w' : '-', attr & MAP_X ? 'x' : '-', attr & MAP_UC ? 'u' : 's',
    };
    return mp_obj_new_str(s, attr & (MAP_UC | MAP_SHARED) ? 4 : 3);
}
static MP_DEFINE_CONST_FUN_OBJ_1(mem_attr_obj, mem_attr);

// mmio(addr, len) -> addr: map registers of a device, uncached. ValueError: RAM, or what the image or firmware lives in.
static mp_obj_t mem_mmio(mp_obj_t addr_in, mp_obj_t len_in) {
    uint64_t addr = arg_addr(addr_in), len = arg_bits(len_in, 32), end = addr + len;
    if (len == 0 || addr < PAGE_SIZE || end < addr || end > 1ull << 46) {
        mp_raise_ValueError(MP_ERROR_TEXT("no device memory"));
    }
    for (uint64_t page = addr & ~(uint64_t)(PAGE_SIZE - 1); page < end; page += PAGE_SIZE) {
        int attr = map_attr(page);
        if (attr >= 0 && (attr & (MAP_UC | MAP_X)) != MAP_UC && !boot_services_alive()) {
            mp_raise_ValueError(MP_ERROR_TEXT("no device memory"));
        }
    }
    uint64_t first = addr & ~(uint64_t)(PAGE_SIZE - 1);
    if (!boot_services_alive() && !map_range(first, end - first, MAP_R | MAP_W | MAP_UC)) {
        mp_raise_OSError(MP_ENOMEM);
    }
    return addr_in;
}
static MP_DEFINE_CONST_FUN_OBJ_2(mem_mmio_obj, mem_mmio);

// info() -> (RAM in the machine, pages' total, free, largest run), bytes
static mp_obj_t mem_info(void) {
    page_stats_t stats = page_stats();
    return tuple_of_ints(4, (uint64_t[]) { memmap_ram(), stats.total, stats.free, stats.largest });
}
static MP_DEFINE_CONST_FUN_OBJ_0(mem_info_obj, mem_info);

// map(i) -> (type, start, pages, attributes) of the firmware's memory map, None past its end
static mp_obj_t mem_map(mp_obj_t index) {
    const efi_memory_t *entry = memmap_get(arg_bits(index, 32));
    if (entry == NULL) {
        return mp_const_none;
    }
    return tuple_of_ints(4, (uint64_t[]) { entry->type, entry->start, entry->pages, entry->attr });
}
static MP_DEFINE_CONST_FUN_OBJ_1(mem_map_obj, mem_map);

// text() -> (start, end) of the image's machine code
static mp_obj_t mem_text(void) {
    return tuple_of_ints(2, (uint64_t[]) { (uintptr_t)text_start, (uintptr_t)text_end });
}
static MP_DEFINE_CONST_FUN_OBJ_0(mem_text_obj, mem_text);

// image() -> (base, size) of the image as the firmware loaded it
static mp_obj_t mem_image(void) {
    return tuple_of_ints(2, (uint64_t[]) { boot_info.image_base, boot_info.image_size });
}
static MP_DEFINE_CONST_FUN_OBJ_0(mem_image_obj, mem_image);

static const mp_rom_map_elem_t mem_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_mem) },
    { MP_ROM_QSTR(MP_QSTR_r8), MP_ROM_PTR(&mem_r8_obj) },
    { MP_ROM_QSTR(MP_QSTR_r16), MP_ROM_PTR(&mem_r16_obj) },
    { MP_ROM_QSTR(MP_QSTR_r32), MP_ROM_PTR(&mem_r32_obj) },
    { MP_ROM_QSTR(MP_QSTR_r64), MP_ROM_PTR(&mem_r64_obj) },
    { MP_ROM_QSTR(MP_QSTR_w8), MP_ROM_PTR(&mem_w8_obj) },
    { MP_ROM_QSTR(MP_QSTR_w16), MP_ROM_PTR(&mem_w16_obj) },
    { MP_ROM_QSTR(MP_QSTR_w32), MP_ROM_PTR(&mem_w32_obj) },
    { MP_ROM_QSTR(MP_QSTR_w64), MP_ROM_PTR(&mem_w64_obj) },
    { MP_ROM_QSTR(MP_QSTR_view), MP_ROM_PTR(&mem_view_obj) },
    { MP_ROM_QSTR(MP_QSTR_dma), MP_ROM_PTR(&mem_dma_obj) },
    { MP_ROM_QSTR(MP_QSTR_attr), MP_ROM_PTR(&mem_attr_obj) },
    { MP_ROM_QSTR(MP_QSTR_mmio), MP_ROM_PTR(&mem_mmio_obj) },
    { MP_ROM_QSTR(MP_QSTR_info), MP_ROM_PTR(&mem_info_obj) },
    { MP_ROM_QSTR(MP_QSTR_map), MP_ROM_PTR(&mem_map_obj) },
    { MP_ROM_QSTR(MP_QSTR_text), MP_ROM_PTR(&mem_text_obj) },
    { MP_ROM_QSTR(MP_QSTR_image), MP_ROM_PTR(&mem_image_obj) },
};
static MP_DEFINE_CONST_DICT(mem_globals, mem_globals_table);

const mp_obj_module_t mem_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&mem_globals,
};
MP_REGISTER_MODULE(MP_QSTR_mem, mem_module);
