// Module cpu: instructions that Python cannot issue.
//
// Source: Intel SDM volume 2 (CPUID, RDMSR, RDTSC, IN, OUT, RDRAND, MFENCE).

#include "py/mperrno.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "args.h"

// cpuid(leaf, subleaf=0) -> (eax, ebx, ecx, edx)
static mp_obj_t cpu_cpuid(size_t n_args, const mp_obj_t *args) {
    uint32_t r[4];
    uint32_t leaf = arg_bits(args[0], 32), subleaf = n_args > 1 ? arg_bits(args[1], 32) : 0;
    cpuid_read(leaf, subleaf, r);
    return tuple_of_ints(4, (uint64_t[]) { r[0], r[1], r[2], r[3] });
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(cpu_cpuid_obj, 1, 2, cpu_cpuid);

// rdmsr(msr) -> int. OSError(EIO): the processor refuses.
static mp_obj_t cpu_rdmsr(mp_obj_t msr) {
    uint64_t value;
    if (!msr_read(arg_bits(msr, 32), &value)) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_obj_new_int_from_uint(value);
}
static MP_DEFINE_CONST_FUN_OBJ_1(cpu_rdmsr_obj, cpu_rdmsr);

// wrmsr(msr, value). OSError(EIO): the processor refuses.
static mp_obj_t cpu_wrmsr(mp_obj_t msr, mp_obj_t value) {
    if (!msr_write(arg_bits(msr, 32), arg_bits(value, 64))) {
        mp_raise_OSError(MP_EIO);
    }
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(cpu_wrmsr_obj, cpu_wrmsr);

// rdtsc() -> time stamp counter
static mp_obj_t cpu_rdtsc(void) {
    return mp_obj_new_int_from_uint(__builtin_ia32_rdtsc());
}
static MP_DEFINE_CONST_FUN_OBJ_0(cpu_rdtsc_obj, cpu_rdtsc);

// inN(port) -> value, outN(port, value): one access of N bits.
#define PORT_IO(bits) \
    static mp_obj_t cpu_in##bits(mp_obj_t port) { \
        return MP_OBJ_NEW_SMALL_INT(port_read(arg_bits(port, 16), bits / 8)); \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_1(cpu_in##bits##_obj, cpu_in##bits); \
    static mp_obj_t cpu_out##bits(mp_obj_t port, mp_obj_t value) { \
        uint32_t v = arg_bits(value, bits); \
        port_write(arg_bits(port, 16), bits / 8, v); \
        return mp_const_none; \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_2(cpu_out##bits##_obj, cpu_out##bits)

PORT_IO(8);
PORT_IO(16);
PORT_IO(32);

#define CPUID_1_ECX_RDRAND (1u << 30)
#define RDRAND_TRIES 10         // Intel SDM volume 1, 7.3.17.1

// rdrand() -> 64 bits. OSError(ENODEV): no such instruction, or it gives nothing.
static mp_obj_t cpu_rdrand(void) {
    uint32_t r[4];
    cpuid_read(1, 0, r);
    for (int i = 0; (r[2] & CPUID_1_ECX_RDRAND) && i < RDRAND_TRIES; i++) {
        uint64_t value;
        bool ok;
        __asm__ volatile ("rdrand %0" : "=r" (value), "=@ccc" (ok));
        if (ok) {
            return mp_obj_new_int_from_uint(value);
        }
    }
    mp_raise_OSError(MP_ENODEV);
}
static MP_DEFINE_CONST_FUN_OBJ_0(cpu_rdrand_obj, cpu_rdrand);

// fence(): all earlier loads and stores are done before any later one.
static mp_obj_t cpu_fence(void) {
    __builtin_ia32_mfence();
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(cpu_fence_obj, cpu_fence);

// halt(): sleep until the next interrupt.
static mp_obj_t cpu_halt(void) {
    cpu_idle_until(UINT64_MAX);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_0(cpu_halt_obj, cpu_halt);

// apic_id() -> this processor's local APIC ID
static mp_obj_t cpu_apic_id(void) {
    return mp_obj_new_int_from_uint(apic_id());
}
static MP_DEFINE_CONST_FUN_OBJ_0(cpu_apic_id_obj, cpu_apic_id);

// count() -> enabled processors
static mp_obj_t cpu_get_count(void) {
    return MP_OBJ_NEW_SMALL_INT(cpu_count);
}
static MP_DEFINE_CONST_FUN_OBJ_0(cpu_get_count_obj, cpu_get_count);

static const mp_rom_map_elem_t cpu_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_cpu) },
    { MP_ROM_QSTR(MP_QSTR_cpuid), MP_ROM_PTR(&cpu_cpuid_obj) },
    { MP_ROM_QSTR(MP_QSTR_rdmsr), MP_ROM_PTR(&cpu_rdmsr_obj) },
    { MP_ROM_QSTR(MP_QSTR_wrmsr), MP_ROM_PTR(&cpu_wrmsr_obj) },
    { MP_ROM_QSTR(MP_QSTR_rdtsc), MP_ROM_PTR(&cpu_rdtsc_obj) },
    { MP_ROM_QSTR(MP_QSTR_in8), MP_ROM_PTR(&cpu_in8_obj) },
    { MP_ROM_QSTR(MP_QSTR_in16), MP_ROM_PTR(&cpu_in16_obj) },
    { MP_ROM_QSTR(MP_QSTR_in32), MP_ROM_PTR(&cpu_in32_obj) },
    { MP_ROM_QSTR(MP_QSTR_out8), MP_ROM_PTR(&cpu_out8_obj) },
    { MP_ROM_QSTR(MP_QSTR_out16), MP_ROM_PTR(&cpu_out16_obj) },
    { MP_ROM_QSTR(MP_QSTR_out32), MP_ROM_PTR(&cpu_out32_obj) },
    { MP_ROM_QSTR(MP_QSTR_rdrand), MP_ROM_PTR(&cpu_rdrand_obj) },
    { MP_ROM_QSTR(MP_QSTR_fence), MP_ROM_PTR(&cpu_fence_obj) },
    { MP_ROM_QSTR(MP_QSTR_halt), MP_ROM_PTR(&cpu_halt_obj) },
    { MP_ROM_QSTR(MP_QSTR_apic_id), MP_ROM_PTR(&cpu_apic_id_obj) },
    { MP_ROM_QSTR(MP_QSTR_count), MP_ROM_PTR(&cpu_get_count_obj) },
};
static MP_DEFINE_CONST_DICT(cpu_globals, cpu_globals_table);

const mp_obj_module_t cpu_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&cpu_globals,
};
MP_REGISTER_MODULE(MP_QSTR_cpu, cpu_module);
