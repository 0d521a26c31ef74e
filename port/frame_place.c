// Where a frame stands: the decoding that py/vm.c does for a traceback, of what the frame's code was compiled from.
//
// Called from the profiler's interrupt too, at any instruction of the VM: it reads only what does not change while
// a function runs, and the address of the last instruction that may raise, which the VM keeps in code->ip. Built with
// -mgeneral-regs-only, and with the two decoders of py/bc.c written out, as those are not.

#include "py/bc0.h"
#include "py/objfun.h"
#include "frames.h"

static const byte *skip(const byte *ip) {
    while ((*ip++ & 0x80) != 0) {
    }
    return ip;
}

static size_t decode(const byte *ip) {
    size_t value = 0;
    do {
        value = value << 7 | (*ip & 0x7f);
    } while ((*ip++ & 0x80) != 0);
    return value;
}

place_t frame_place(const mp_code_state_t *code) {
    const byte *ip = code->fun_bc->bytecode;
    MP_BC_PRELUDE_SIG_DECODE(ip);
    MP_BC_PRELUDE_SIZE_DECODE(ip);
    const byte *info_end = ip + n_info, *start = info_end + n_cell;
    const qstr_short_t *names = code->fun_bc->context->constants.qstr_table;
    qstr function = names[decode(ip)];
    for (size_t i = 0; i < 1 + n_pos_args + n_kwonly_args; i++) {
        ip = skip(ip);
    }
    size_t offset = code->ip < start ? 0 : code->ip - start;
    return (place_t) { names[0], function, mp_bytecode_get_source_line(ip, info_end, offset) };
}
