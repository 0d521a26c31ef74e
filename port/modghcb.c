// Module ghcb: how an SEV-SNP guest speaks with its host, and what it shares with it.
//
// Each function is one exchange or one instruction; what an answer means, and what to do about it, is Python (sev/). An exchange is C as a
// whole: nothing may come between what is written into the page and what is read from it.
// In a machine that is no such guest, and in firmware mode, sev_status() and c_bit() work and all others raise OSError(ENODEV).

#include "py/mperrno.h"
#include "py/runtime.h"
#include "boot/boot.h"
#include "args.h"

#define INFO_MASK 0xfff
#define TERMINATE 0x100

static void need_guest(void) {
    if (!ghcb_live) {
        mp_raise_OSError(MP_ENODEV);
    }
}

// sev_status() -> MSR C001_0131, SEV_STATUS, as it was at the start; 0: memory is not encrypted
static mp_obj_t mod_sev_status(void) {
    return mp_obj_new_int_from_uint(sev_status);
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_sev_status_obj, mod_sev_status);

// c_bit() -> the bit of an address that makes a page private; 0: there is none
static mp_obj_t mod_c_bit(void) {
    return MP_OBJ_NEW_SMALL_INT(sev_c_bit);
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_c_bit_obj, mod_c_bit);

// secrets() -> address of the secrets page
static mp_obj_t mod_secrets(void) {
    need_guest();
    return mp_obj_new_int_from_uint(sev_secrets);
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_secrets_obj, mod_secrets);

// vcpu() -> this processor's local APIC ID
static mp_obj_t mod_vcpu(void) {
    need_guest();
    return mp_obj_new_int_from_uint(apic_id());
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_vcpu_obj, mod_vcpu);

// addr() -> address of the page that this processor speaks through
static mp_obj_t mod_addr(void) {
    need_guest();
    return mp_obj_new_int_from_uint(ghcb_addr());
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_addr_obj, mod_addr);

// protocol() -> (min, max, used)
static mp_obj_t mod_protocol(void) {
    need_guest();
    ghcb_protocol_t p = ghcb_protocol();
    return tuple_of_ints(3, (uint64_t[]) { p.min, p.max, p.used });
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_protocol_obj, mod_protocol);

// features() -> bitmap of what the host can do. GHCB specification, 2.3.1
static mp_obj_t mod_features(void) {
    need_guest();
    return mp_obj_new_int_from_uint(ghcb_protocol().features);
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_features_obj, mod_features);

// call(code, info1=0, info2=0, rax=None, rbx=None) -> (info1, info2, rax, rbx): one exit, as the host answers. None: not valid on
// input. OSError(EIO): it answers nothing.
static mp_obj_t mod_call(size_t n_args, const mp_obj_t *args) {
    host_call_t call = { .code = arg_bits(args[0], 64) };
    call.info1 = n_args > 1 ? arg_bits(args[1], 64) : 0;
    call.info2 = n_args > 2 ? arg_bits(args[2], 64) : 0;
    call.has_rax = n_args > 3 && args[3] != mp_const_none;
    call.rax = call.has_rax ? arg_bits(args[3], 64) : 0;
    call.has_rbx = n_args > 4 && args[4] != mp_const_none;
    call.rbx = call.has_rbx ? arg_bits(args[4], 64) : 0;
    need_guest();
    if (!host_call(&call)) {
        mp_raise_OSError(MP_EIO);
    }
    return tuple_of_ints(4, (uint64_t[]) { call.info1, call.info2, call.rax, call.rbx });
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ghcb_call_obj, 1, 5, mod_call);

// msr(word) -> word: one exchange of the MSR protocol. ValueError: a page's address instead of a request, or the end of the machine
static mp_obj_t mod_msr(mp_obj_t word_in) {
    uint64_t word = arg_bits(word_in, 64);
    need_guest();
    if ((word & INFO_MASK) == 0 || (word & INFO_MASK) == TERMINATE) {
        mp_raise_ValueError(MP_ERROR_TEXT("no request that has an answer"));
    }
    return mp_obj_new_int_from_uint(ghcb_msr(word));
}
static MP_DEFINE_CONST_FUN_OBJ_1(ghcb_msr_obj, mod_msr);

static mp_obj_t page_result(int result) {
    static const uint8_t codes[] = {
        [PAGE_NO_SNP] = MP_ENODEV, [PAGE_STATE] = MP_EINVAL, [PAGE_NO_MEMORY] = MP_ENOMEM, [PAGE_REFUSED] = MP_EIO,
    };
    if (result != PAGE_DONE) {
        mp_raise_OSError(codes[result]);
    }
    return mp_const_none;
}

// share(addr, len), unshare(addr, len): let the host read and write whole pages, and take them back; their content is lost. OSError(EINVAL):
// not pages, or not all of them in the other state; EIO: the host refuses, and they are lost
static mp_obj_t mod_share(mp_obj_t addr, mp_obj_t len) {
    return page_result(page_share(arg_addr(addr), arg_bits(len, 48)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(ghcb_share_obj, mod_share);

static mp_obj_t mod_unshare(mp_obj_t addr, mp_obj_t len) {
    return page_result(page_unshare(arg_addr(addr), arg_bits(len, 48)));
}
static MP_DEFINE_CONST_FUN_OBJ_2(ghcb_unshare_obj, mod_unshare);

static uint64_t mapped(mp_obj_t addr_in) {
    need_guest();
    uint64_t addr = arg_addr(addr_in);
    if (map_attr(addr) < 0) {
        mp_raise_OSError(MP_EFAULT);
    }
    return addr;
}

// pvalidate(addr, large, validate) -> (code, carry): the bare instruction. It changes what a page is behind the back of share()
static mp_obj_t mod_pvalidate(mp_obj_t addr_in, mp_obj_t large, mp_obj_t validate) {
    bool carry;
    uint64_t addr = mapped(addr_in);
    int code = pvalidate(addr, mp_obj_is_true(large), mp_obj_is_true(validate), &carry);
    return mp_obj_new_tuple(2, (mp_obj_t[]) { MP_OBJ_NEW_SMALL_INT(code), mp_obj_new_bool(carry) });
}
static MP_DEFINE_CONST_FUN_OBJ_3(ghcb_pvalidate_obj, mod_pvalidate);

// rmpadjust(addr, large, attributes) -> code: the bare instruction
static mp_obj_t mod_rmpadjust(mp_obj_t addr_in, mp_obj_t large, mp_obj_t attributes) {
    uint64_t addr = mapped(addr_in);
    return MP_OBJ_NEW_SMALL_INT(rmpadjust(addr, mp_obj_is_true(large), arg_bits(attributes, 64)));
}
static MP_DEFINE_CONST_FUN_OBJ_3(ghcb_rmpadjust_obj, mod_rmpadjust);

static void ap_result(int result) {
    static const uint8_t codes[] = {
        [AP_NONE] = MP_ENODEV, [AP_RUNS] = MP_EEXIST, [AP_NO_MEMORY] = MP_ENOMEM, [AP_REFUSED] = MP_EIO, [AP_SILENT] = MP_ETIMEDOUT,
    };
    if (result != AP_DONE) {
        mp_raise_OSError(codes[result]);
    }
}

// start_ap(apic_id, tsc_scale=0, tsc_offset=0) -> (APIC id that the host tells it, address of its GHCB): another processor starts, says
// that, and parks. OSError: ENODEV no such feature, EEXIST it runs, EIO refused, ETIMEDOUT nothing within 1 s
static mp_obj_t mod_start_ap(size_t n_args, const mp_obj_t *args) {
    uint32_t seen;
    uint64_t addr;
    ap_result(ap_start(arg_bits(args[0], 32), n_args > 1 ? arg_bits(args[1], 64) : 0, n_args > 2 ? arg_bits(args[2], 64) : 0, &seen, &addr));
    return tuple_of_ints(2, (uint64_t[]) { seen, addr });
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(ghcb_start_ap_obj, 1, 3, mod_start_ap);

// stop_ap(apic_id): end a processor that start_ap() started. OSError: ENODEV there is none, EIO refused
static mp_obj_t mod_stop_ap(mp_obj_t id) {
    ap_result(ap_stop(arg_bits(id, 32)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(ghcb_stop_ap_obj, mod_stop_ap);

typedef bool (*count_t)(unsigned i, uint64_t *code, uint32_t *count);

static mp_obj_t counted(count_t get) {
    mp_obj_t dict = mp_obj_new_dict(0);
    uint64_t code;
    uint32_t count;
    for (unsigned i = 0; get(i, &code, &count); i++) {
        if (count != 0) {
            mp_obj_t key = code == GHCB_COUNT_MSR ? MP_OBJ_NEW_QSTR(MP_QSTR_msr)
                : code == GHCB_COUNT_OTHER ? MP_OBJ_NEW_QSTR(MP_QSTR_other) : mp_obj_new_int_from_uint(code);
            mp_obj_dict_store(dict, key, mp_obj_new_int_from_uint(count));
        }
    }
    return dict;
}

// counts() -> {"exits": {code: number}, "vc": {code: number}}: exits to the host, those of the MSR protocol under "msr"; #VC exceptions
static mp_obj_t mod_counts(void) {
    need_guest();
    mp_obj_t dict = mp_obj_new_dict(2);
    mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(MP_QSTR_exits), counted(ghcb_count_get));
    mp_obj_dict_store(dict, MP_OBJ_NEW_QSTR(MP_QSTR_vc), counted(vc_count_get));
    return dict;
}
static MP_DEFINE_CONST_FUN_OBJ_0(ghcb_counts_obj, mod_counts);

static const mp_rom_map_elem_t ghcb_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_ghcb) },
    { MP_ROM_QSTR(MP_QSTR_sev_status), MP_ROM_PTR(&ghcb_sev_status_obj) },
    { MP_ROM_QSTR(MP_QSTR_c_bit), MP_ROM_PTR(&ghcb_c_bit_obj) },
    { MP_ROM_QSTR(MP_QSTR_secrets), MP_ROM_PTR(&ghcb_secrets_obj) },
    { MP_ROM_QSTR(MP_QSTR_vcpu), MP_ROM_PTR(&ghcb_vcpu_obj) },
    { MP_ROM_QSTR(MP_QSTR_addr), MP_ROM_PTR(&ghcb_addr_obj) },
    { MP_ROM_QSTR(MP_QSTR_protocol), MP_ROM_PTR(&ghcb_protocol_obj) },
    { MP_ROM_QSTR(MP_QSTR_features), MP_ROM_PTR(&ghcb_features_obj) },
    { MP_ROM_QSTR(MP_QSTR_call), MP_ROM_PTR(&ghcb_call_obj) },
    { MP_ROM_QSTR(MP_QSTR_msr), MP_ROM_PTR(&ghcb_msr_obj) },
    { MP_ROM_QSTR(MP_QSTR_share), MP_ROM_PTR(&ghcb_share_obj) },
    { MP_ROM_QSTR(MP_QSTR_unshare), MP_ROM_PTR(&ghcb_unshare_obj) },
    { MP_ROM_QSTR(MP_QSTR_pvalidate), MP_ROM_PTR(&ghcb_pvalidate_obj) },
    { MP_ROM_QSTR(MP_QSTR_rmpadjust), MP_ROM_PTR(&ghcb_rmpadjust_obj) },
    { MP_ROM_QSTR(MP_QSTR_start_ap), MP_ROM_PTR(&ghcb_start_ap_obj) },
    { MP_ROM_QSTR(MP_QSTR_stop_ap), MP_ROM_PTR(&ghcb_stop_ap_obj) },
    { MP_ROM_QSTR(MP_QSTR_counts), MP_ROM_PTR(&ghcb_counts_obj) },
};
static MP_DEFINE_CONST_DICT(ghcb_globals, ghcb_globals_table);

const mp_obj_module_t mp_module_ghcb = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&ghcb_globals,
};
MP_REGISTER_MODULE(MP_QSTR_ghcb, mp_module_ghcb);
