// sys.stdin, sys.stdout and sys.stderr over the console, and their .buffer.
//
// The text objects map line ends both ways; .buffer moves bytes as they are. read(n) waits for all n,
// as on other ports; .buffer.readinto() waits for the first byte only and takes what is there. After
// .buffer.setblocking(False) both return what is there, or None: for asyncio streams over it.

#include <string.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "boot/boot.h"
#include "kmem.h"
#include "sysstdio.h"

enum { STDIN, STDOUT, STDERR };

typedef struct {
    mp_obj_base_t base;
    int fd;
} stdio_obj_t;

static bool nonblocking;

// Input that somebody took from the console and gave back, ahead of what the console holds. It lies
// outside of Python's heap: a soft reset must not lose what was typed ahead.
static struct { char *bytes; size_t len, at; } returned;

void stdio_reset(void) {
    nonblocking = false;
}

void stdio_return(const char *bytes, size_t len) {
    kmem_free(returned.bytes, returned.len);
    returned.bytes = kmem_alloc(len);
    if (returned.bytes == NULL) {
        len = 0;
    }
    memcpy(returned.bytes, bytes, len);
    returned.len = len;
    returned.at = 0;
}

int stdio_getc(void) {
    return returned.at < returned.len ? (byte)returned.bytes[returned.at++] : console_read();
}

bool stdio_readable(void) {
    return returned.at < returned.len || console_readable();
}

bool stdio_set_blocking(bool blocking) {
    bool was = !nonblocking;
    nonblocking = !blocking;
    return was;
}

static void stdio_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    stdio_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "<io.%s %d>", mp_obj_get_type_str(self_in), self->fd);
}

static mp_uint_t not_permitted(int *errcode) {
    *errcode = MP_EPERM;
    return MP_STREAM_ERROR;
}

static mp_uint_t text_read(mp_obj_t self_in, void *buf, mp_uint_t size, int *errcode) {
    stdio_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->fd != STDIN) {
        return not_permitted(errcode);
    }
    for (mp_uint_t i = 0; i < size; i++) {
        int c = mp_hal_stdin_rx_chr();
        ((byte *)buf)[i] = c == '\r' ? '\n' : c;
    }
    return size;
}

static mp_uint_t text_write(mp_obj_t self_in, const void *buf, mp_uint_t size, int *errcode) {
    stdio_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->fd == STDIN) {
        return not_permitted(errcode);
    }
    mp_hal_stdout_tx_strn_cooked(buf, size);
    return size;
}

size_t stdio_take(char *buf, size_t size) {
    size_t n = 0;
    int c;
    while (n < size && (c = stdio_getc()) >= 0) {
        buf[n++] = c;
    }
    return n;
}

// What has arrived, at most size bytes; without any: wait for one byte, or EAGAIN.
static mp_uint_t buffer_read(mp_obj_t self_in, void *buf, mp_uint_t size, int *errcode) {
    size_t n = stdio_take(buf, size);
    if (n == 0 && size > 0) {
        if (nonblocking) {
            *errcode = MP_EAGAIN;
            return MP_STREAM_ERROR;
        }
        *(char *)buf = mp_hal_stdin_rx_chr();
        n = 1;
    }
    return n;
}

// readinto(buf, n=len(buf)) -> bytes read, at least 1; None: setblocking(False) and nothing there
static mp_obj_t buffer_readinto(size_t n_args, const mp_obj_t *args) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(args[1], &info, MP_BUFFER_WRITE);
    mp_uint_t len = n_args > 2 ? MIN(info.len, (mp_uint_t)mp_obj_get_int(args[2])) : info.len;
    int errcode;
    mp_uint_t n = buffer_read(args[0], info.buf, len, &errcode);
    return n == MP_STREAM_ERROR ? mp_const_none : MP_OBJ_NEW_SMALL_INT(n);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(buffer_readinto_obj, 2, 3, buffer_readinto);

static mp_uint_t buffer_write(mp_obj_t self_in, const void *buf, mp_uint_t size, int *errcode) {
    return mp_hal_stdout_tx_strn(buf, size);
}

static mp_uint_t stdio_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    switch (request) {
        case MP_STREAM_POLL:
            return mp_hal_stdio_poll(arg);
        case MP_STREAM_FLUSH:
        case MP_STREAM_CLOSE:
            return 0;
        default:
            *errcode = MP_EINVAL;
            return MP_STREAM_ERROR;
    }
}

static mp_obj_t buffer_setblocking(mp_obj_t self_in, mp_obj_t blocking) {
    stdio_set_blocking(mp_obj_is_true(blocking));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(buffer_setblocking_obj, buffer_setblocking);

static mp_obj_t stdio_fileno(mp_obj_t self_in) {
    stdio_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return MP_OBJ_NEW_SMALL_INT(self->fd);
}
static MP_DEFINE_CONST_FUN_OBJ_1(stdio_fileno_obj, stdio_fileno);

#define STREAM_METHODS \
    { MP_ROM_QSTR(MP_QSTR_fileno), MP_ROM_PTR(&stdio_fileno_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&mp_stream_unbuffered_readline_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_readlines), MP_ROM_PTR(&mp_stream_unbuffered_readlines_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mp_stream_write_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_flush), MP_ROM_PTR(&mp_stream_flush_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_identity_obj) }, \
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj) }, \
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&mp_stream___exit___obj) }

static const mp_rom_map_elem_t buffer_locals_table[] = {
    STREAM_METHODS,
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&buffer_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_setblocking), MP_ROM_PTR(&buffer_setblocking_obj) },
};
static MP_DEFINE_CONST_DICT(buffer_locals, buffer_locals_table);

static const mp_stream_p_t buffer_stream = {
    .read = buffer_read,
    .write = buffer_write,
    .ioctl = stdio_ioctl,
    .is_text = false,
};

static MP_DEFINE_CONST_OBJ_TYPE(
    buffer_type, MP_QSTR_FileIO, MP_TYPE_FLAG_ITER_IS_STREAM,
    print, stdio_print, protocol, &buffer_stream, locals_dict, &buffer_locals);

static const stdio_obj_t buffer_objs[] = {
    {{&buffer_type}, STDIN}, {{&buffer_type}, STDOUT}, {{&buffer_type}, STDERR},
};

static void text_attr(mp_obj_t self_in, qstr attr, mp_obj_t *dest) {
    stdio_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (dest[0] != MP_OBJ_NULL) {
        return;                         // read-only
    }
    if (attr == MP_QSTR_buffer) {
        dest[0] = MP_OBJ_FROM_PTR(&buffer_objs[self->fd]);
    } else {
        dest[1] = MP_OBJ_SENTINEL;      // look among the methods
    }
}

static const mp_rom_map_elem_t text_locals_table[] = {
    STREAM_METHODS,
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj) },
};
static MP_DEFINE_CONST_DICT(text_locals, text_locals_table);

static const mp_stream_p_t text_stream = {
    .read = text_read,
    .write = text_write,
    .ioctl = stdio_ioctl,
    .is_text = true,
};

static MP_DEFINE_CONST_OBJ_TYPE(
    text_type, MP_QSTR_TextIOWrapper, MP_TYPE_FLAG_ITER_IS_STREAM,
    print, stdio_print, attr, text_attr, protocol, &text_stream, locals_dict, &text_locals);

const stdio_obj_t mp_sys_stdin_obj = {{&text_type}, STDIN};
const stdio_obj_t mp_sys_stdout_obj = {{&text_type}, STDOUT};
const stdio_obj_t mp_sys_stderr_obj = {{&text_type}, STDERR};
