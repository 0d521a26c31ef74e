// Open files of VfsRam: one object type for text, one for bytes, over ramfs_read and ramfs_write.
//
// A boot volume's file that was not written to can be read in place through the buffer protocol;
// import and execfile use that.

#include <string.h>

#include "py/mperrno.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "vfs_ram.h"

typedef struct {
    mp_obj_base_t base;
    ramfs_node_t *node;         // NULL: closed
    uint64_t position;          // bytes
    bool readable, writable, append;
} ram_file_t;

static const mp_obj_type_t text_type, bytes_type;

static void file_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    mp_printf(print, "<io.%s %p>", mp_obj_get_type_str(self_in), MP_OBJ_TO_PTR(self_in));
}

static ramfs_node_t *open_node(const ram_file_t *file) {
    if (file->node == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("I/O operation on closed file"));
    }
    return file->node;
}

static mp_uint_t file_read(mp_obj_t self_in, void *buf, mp_uint_t len, int *errcode) {
    ram_file_t *self = MP_OBJ_TO_PTR(self_in);
    ramfs_node_t *node = open_node(self);
    if (!self->readable) {
        *errcode = MP_EBADF;
        return MP_STREAM_ERROR;
    }
    size_t n = ramfs_read(node, self->position, buf, len);
    self->position += n;
    return n;
}

static mp_uint_t file_write(mp_obj_t self_in, const void *buf, mp_uint_t len, int *errcode) {
    ram_file_t *self = MP_OBJ_TO_PTR(self_in);
    ramfs_node_t *node = open_node(self);
    if (!self->writable) {
        *errcode = MP_EBADF;
        return MP_STREAM_ERROR;
    }
    if (self->append) {
        self->position = node->size;
    }
    int err = len == 0 ? 0 : ramfs_write(node, self->position, buf, len);
    if (err < 0) {
        *errcode = -err;
        return MP_STREAM_ERROR;
    }
    self->position += len;
    return len;
}

static mp_uint_t file_seek(ram_file_t *self, struct mp_stream_seek_t *seek, int *errcode) {
    ramfs_node_t *node = open_node(self);
    int64_t from = seek->whence == MP_SEEK_SET ? 0 : seek->whence == MP_SEEK_CUR ? self->position : node->size;
    int64_t to = from + seek->offset;
    if (to < 0 || seek->whence > MP_SEEK_END) {
        *errcode = MP_EINVAL;
        return MP_STREAM_ERROR;
    }
    self->position = seek->offset = to;
    return 0;
}

static void file_close(ram_file_t *self) {
    if (self->node != NULL) {
        ramfs_unuse(self->node);
        self->node = NULL;
    }
}

static mp_uint_t file_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t arg, int *errcode) {
    ram_file_t *self = MP_OBJ_TO_PTR(self_in);
    switch (request) {
        case MP_STREAM_SEEK:
            return file_seek(self, (struct mp_stream_seek_t *)arg, errcode);
        case MP_STREAM_FLUSH:
            open_node(self);
            return 0;
        case MP_STREAM_CLOSE:
            file_close(self);
            return 0;
        case MP_STREAM_POLL:
            open_node(self);
            return arg & (MP_STREAM_POLL_RD | MP_STREAM_POLL_WR);
        case MP_STREAM_GET_BUFFER_SIZE:
            return 255;     // the most that extmod/vfs_reader.c takes
        default:
            *errcode = MP_EINVAL;
            return MP_STREAM_ERROR;
    }
}

static mp_int_t file_get_buffer(mp_obj_t self_in, mp_buffer_info_t *info, mp_uint_t flags) {
    ram_file_t *self = MP_OBJ_TO_PTR(self_in);
    if (flags != MP_BUFFER_READ || self->node == NULL || self->node->file.borrowed == NULL) {
        return 1;
    }
    info->buf = (void *)self->node->file.borrowed;
    info->len = self->node->size;
    info->typecode = 'B';
    return 0;
}

// ---- opening ------------------------------------------------------------------------------------------
// What follows from a mode string; ValueError for one that says none, or two, of r, w, a and x.
typedef struct { char kind; bool update, bytes; } file_mode_t;

static file_mode_t parse_mode(const char *s) {
    file_mode_t mode = { 0 };
    for (; *s != '\0'; s++) {
        if (*s == '+') {
            mode.update = true;
        } else if (*s == 'b' || *s == 't') {
            mode.bytes = *s == 'b';
        } else if (strchr("rwax", *s) != NULL && mode.kind == 0) {
            mode.kind = *s;
        } else {
            mp_raise_ValueError(MP_ERROR_TEXT("invalid mode"));
        }
    }
    mode.kind = mode.kind == 0 ? 'r' : mode.kind;
    return mode;
}

static ramfs_node_t *open_path(const char *path, char kind) {
    ramfs_node_t *node;
    int err = ramfs_find(path, &node);
    if (err == -MP_ENOENT && kind != 'r') {
        err = ramfs_create(path, false, &node);
    } else if (err == 0 && kind == 'x') {
        err = -MP_EEXIST;
    }
    vfs_ram_check(err);
    if (node->is_dir) {
        mp_raise_OSError(MP_EISDIR);
    }
    if (kind == 'w') {
        ramfs_truncate(node, 0);
    }
    return node;
}

mp_obj_t vfs_ram_file_open(const char *path, const char *mode_in) {
    file_mode_t mode = parse_mode(mode_in);
    ram_file_t *file = mp_obj_malloc_with_finaliser(ram_file_t, mode.bytes ? &bytes_type : &text_type);
    file->node = NULL;      // closed, should the next line raise
    file->node = open_path(path, mode.kind);
    ramfs_use(file->node);
    file->append = mode.kind == 'a';
    file->position = file->append ? file->node->size : 0;
    file->readable = mode.kind == 'r' || mode.update;
    file->writable = mode.kind != 'r' || mode.update;
    return MP_OBJ_FROM_PTR(file);
}

// ---- the types ------------------------------------------------------------------------------------------
static const mp_rom_map_elem_t file_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&mp_stream_unbuffered_readline_obj) },
    { MP_ROM_QSTR(MP_QSTR_readlines), MP_ROM_PTR(&mp_stream_unbuffered_readlines_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mp_stream_write_obj) },
    { MP_ROM_QSTR(MP_QSTR_flush), MP_ROM_PTR(&mp_stream_flush_obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR_seek), MP_ROM_PTR(&mp_stream_seek_obj) },
    { MP_ROM_QSTR(MP_QSTR_tell), MP_ROM_PTR(&mp_stream_tell_obj) },
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR___enter__), MP_ROM_PTR(&mp_identity_obj) },
    { MP_ROM_QSTR(MP_QSTR___exit__), MP_ROM_PTR(&mp_stream___exit___obj) },
};
static MP_DEFINE_CONST_DICT(file_locals, file_locals_table);

static const mp_stream_p_t text_stream = {
    .read = file_read, .write = file_write, .ioctl = file_ioctl, .is_text = true,
};

static const mp_stream_p_t bytes_stream = {
    .read = file_read, .write = file_write, .ioctl = file_ioctl,
};

static MP_DEFINE_CONST_OBJ_TYPE(
    text_type, MP_QSTR_TextIOWrapper, MP_TYPE_FLAG_ITER_IS_STREAM,
    print, file_print, protocol, &text_stream, locals_dict, &file_locals);

static MP_DEFINE_CONST_OBJ_TYPE(
    bytes_type, MP_QSTR_FileIO, MP_TYPE_FLAG_ITER_IS_STREAM,
    print, file_print, buffer, file_get_buffer, protocol, &bytes_stream, locals_dict, &file_locals);
