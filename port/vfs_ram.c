// class VfsRam: the one file system in memory, mounted at "/" and filled from the boot volume.

#include <string.h>

#include "py/builtin.h"
#include "py/mperrno.h"
#include "py/objstr.h"
#include "py/runtime.h"
#include "extmod/vfs.h"
#include "boot/boot.h"
#include "args.h"
#include "vfs_ram.h"

static char cwd[RAMFS_PATH_MAX + 1];    // "/…", resolved
static bool readonly;

static const mp_obj_type_t vfs_ram_type;
static const mp_obj_base_t vfs_ram = { &vfs_ram_type };

void vfs_ram_check(int err) {
    if (err < 0) {
        mp_raise_OSError(-err);
    }
}

static void check_writable(void) {
    if (readonly) {
        mp_raise_OSError(MP_EROFS);
    }
}

// A path argument, absolute and resolved, in out.
static const char *arg_path(mp_obj_t path_in, char *out) {
    vfs_ram_check(ramfs_resolve(cwd, arg_str(path_in), out));
    return out;
}

static ramfs_node_t *find(mp_obj_t path_in) {
    char path[RAMFS_PATH_MAX + 1];
    ramfs_node_t *node;
    vfs_ram_check(ramfs_find(arg_path(path_in, path), &node));
    return node;
}

// ---- the first mount -----------------------------------------------------------------------------------
// A file that does not fit any more is left out: the limit is half of memory, so that never happens
// to what boot/ could load.
static void populate(void) {
    char path[RAMFS_PATH_MAX + 1];
    for (size_t i = 0; i < boot_info.file_count; i++) {
        const boot_file_t *file = &boot_info.files[i];
        if (ramfs_resolve("/", file->path, path) == 0) {
            ramfs_add(path, file->is_dir, file->data, file->size, file->mtime);
        }
    }
}

void vfs_ram_mount(void) {
    if (ramfs_root() == NULL && ramfs_init() == 0) {
        populate();
    }
    strcpy(cwd, "/");
    readonly = false;
    mp_vfs_mount_and_chdir_protected(MP_OBJ_FROM_PTR(&vfs_ram), MP_OBJ_NEW_QSTR(MP_QSTR__slash_));
}

// ---- methods, as py's vfs calls them ---------------------------------------------------------------------
static mp_obj_t vfs_ram_mounted(mp_obj_t self, mp_obj_t readonly_in, mp_obj_t mkfs) {
    if (mp_obj_is_true(mkfs)) {
        mp_raise_OSError(MP_EPERM);
    }
    readonly = mp_obj_is_true(readonly_in);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(vfs_ram_mount_obj, vfs_ram_mounted);

static mp_obj_t vfs_ram_umount(mp_obj_t self) {
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(vfs_ram_umount_obj, vfs_ram_umount);

static mp_obj_t vfs_ram_open(mp_obj_t self, mp_obj_t path_in, mp_obj_t mode_in) {
    char path[RAMFS_PATH_MAX + 1];
    const char *mode = arg_str(mode_in);
    if (strpbrk(mode, "wax+") != NULL) {
        check_writable();
    }
    return vfs_ram_file_open(arg_path(path_in, path), mode);
}
static MP_DEFINE_CONST_FUN_OBJ_3(vfs_ram_open_obj, vfs_ram_open);

static mp_obj_t vfs_ram_chdir(mp_obj_t self, mp_obj_t path_in) {
    char path[RAMFS_PATH_MAX + 1];
    if (!find(path_in)->is_dir) {
        mp_raise_OSError(MP_ENOTDIR);
    }
    strcpy(cwd, arg_path(path_in, path));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(vfs_ram_chdir_obj, vfs_ram_chdir);

static mp_obj_t vfs_ram_getcwd(mp_obj_t self) {
    return mp_obj_new_str_from_cstr(cwd);
}
static MP_DEFINE_CONST_FUN_OBJ_1(vfs_ram_getcwd_obj, vfs_ram_getcwd);

static mp_obj_t vfs_ram_mkdir(mp_obj_t self, mp_obj_t path_in) {
    char path[RAMFS_PATH_MAX + 1];
    ramfs_node_t *node;
    check_writable();
    vfs_ram_check(ramfs_create(arg_path(path_in, path), true, &node));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(vfs_ram_mkdir_obj, vfs_ram_mkdir);

static mp_obj_t remove_path(mp_obj_t path_in, bool is_dir) {
    char path[RAMFS_PATH_MAX + 1];
    check_writable();
    vfs_ram_check(ramfs_remove(arg_path(path_in, path), is_dir));
    return mp_const_none;
}

static mp_obj_t vfs_ram_remove(mp_obj_t self, mp_obj_t path_in) {
    return remove_path(path_in, false);
}
static MP_DEFINE_CONST_FUN_OBJ_2(vfs_ram_remove_obj, vfs_ram_remove);

static mp_obj_t vfs_ram_rmdir(mp_obj_t self, mp_obj_t path_in) {
    return remove_path(path_in, true);
}
static MP_DEFINE_CONST_FUN_OBJ_2(vfs_ram_rmdir_obj, vfs_ram_rmdir);

static mp_obj_t vfs_ram_rename(mp_obj_t self, mp_obj_t from_in, mp_obj_t to_in) {
    char from[RAMFS_PATH_MAX + 1], to[RAMFS_PATH_MAX + 1];
    check_writable();
    vfs_ram_check(ramfs_rename(arg_path(from_in, from), arg_path(to_in, to)));
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_3(vfs_ram_rename_obj, vfs_ram_rename);

static mp_obj_t vfs_ram_stat(mp_obj_t self, mp_obj_t path_in) {
    const ramfs_node_t *node = find(path_in);
    mp_obj_t time = mp_obj_new_int_from_ll(node->mtime);
    mp_obj_t zero = MP_OBJ_NEW_SMALL_INT(0);
    mp_obj_t items[10] = {
        MP_OBJ_NEW_SMALL_INT(node->is_dir ? MP_S_IFDIR : MP_S_IFREG), zero, zero, zero, zero, zero,
        mp_obj_new_int_from_uint(node->size), time, time, time,
    };
    return mp_obj_new_tuple(10, items);
}
static MP_DEFINE_CONST_FUN_OBJ_2(vfs_ram_stat_obj, vfs_ram_stat);

// (bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax)
static mp_obj_t vfs_ram_statvfs(mp_obj_t self, mp_obj_t path_in) {
    find(path_in);
    page_stats_t pages = page_stats();
    uint64_t left = MIN(ramfs_total() - ramfs_used(), pages.free);
    const uint64_t values[10] = {
        PAGE_SIZE, PAGE_SIZE, ramfs_total() / PAGE_SIZE, left / PAGE_SIZE, left / PAGE_SIZE, 0, 0, 0, readonly, RAMFS_NAME_MAX,
    };
    return tuple_of_ints(10, values);
}
static MP_DEFINE_CONST_FUN_OBJ_2(vfs_ram_statvfs_obj, vfs_ram_statvfs);

// ---- listing a folder ------------------------------------------------------------------------------------
typedef struct {
    mp_obj_base_t base;
    mp_fun_1_t iternext;
    mp_fun_1_t finaliser;
    ramfs_node_t *dir;          // in use by us; NULL at the end
    mp_obj_t last;              // the name given last, or MP_OBJ_NULL
    const mp_obj_type_t *name_type;     // str, or bytes if the path was given as bytes
} listing_t;

static mp_obj_t listing_end(mp_obj_t self_in) {
    listing_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->dir != NULL) {
        ramfs_unuse(self->dir);
        self->dir = NULL;
    }
    return mp_const_none;
}

static mp_obj_t listing_next(mp_obj_t self_in) {
    listing_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->dir == NULL) {
        return MP_OBJ_STOP_ITERATION;
    }
    size_t len = 0;
    const char *last = self->last == MP_OBJ_NULL ? NULL : mp_obj_str_get_data(self->last, &len);
    const ramfs_node_t *node = ramfs_next(self->dir, last, len);
    if (node == NULL) {
        listing_end(self_in);
        return MP_OBJ_STOP_ITERATION;
    }
    self->last = mp_obj_new_str_of_type(self->name_type, (const byte *)node->name, node->name_len);
    mp_obj_t items[] = {
        self->last, MP_OBJ_NEW_SMALL_INT(node->is_dir ? MP_S_IFDIR : MP_S_IFREG),
        MP_OBJ_NEW_SMALL_INT(0), mp_obj_new_int_from_uint(node->size),
    };
    return mp_obj_new_tuple(4, items);
}

// ilistdir(path) -> iterator over (name, type, inode, size), sorted by name
static mp_obj_t vfs_ram_ilistdir(mp_obj_t self, mp_obj_t path_in) {
    ramfs_node_t *dir = find(path_in);
    if (!dir->is_dir) {
        mp_raise_OSError(MP_ENOTDIR);
    }
    listing_t *listing = mp_obj_malloc_with_finaliser(listing_t, &mp_type_polymorph_iter_with_finaliser);
    listing->iternext = listing_next;
    listing->finaliser = listing_end;
    listing->last = MP_OBJ_NULL;
    listing->name_type = mp_obj_get_type(path_in);
    listing->dir = dir;
    ramfs_use(dir);
    return MP_OBJ_FROM_PTR(listing);
}
static MP_DEFINE_CONST_FUN_OBJ_2(vfs_ram_ilistdir_obj, vfs_ram_ilistdir);

// ---- the type -----------------------------------------------------------------------------------------------
static mp_import_stat_t vfs_ram_import_stat(void *self, const char *path_in) {
    char path[RAMFS_PATH_MAX + 1];
    ramfs_node_t *node;
    if (ramfs_resolve(cwd, path_in, path) != 0 || ramfs_find(path, &node) != 0) {
        return MP_IMPORT_STAT_NO_EXIST;
    }
    return node->is_dir ? MP_IMPORT_STAT_DIR : MP_IMPORT_STAT_FILE;
}

static const mp_vfs_proto_t vfs_ram_proto = { .import_stat = vfs_ram_import_stat };

static const mp_rom_map_elem_t vfs_ram_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR_mount), MP_ROM_PTR(&vfs_ram_mount_obj) },
    { MP_ROM_QSTR(MP_QSTR_umount), MP_ROM_PTR(&vfs_ram_umount_obj) },
    { MP_ROM_QSTR(MP_QSTR_open), MP_ROM_PTR(&vfs_ram_open_obj) },
    { MP_ROM_QSTR(MP_QSTR_chdir), MP_ROM_PTR(&vfs_ram_chdir_obj) },
    { MP_ROM_QSTR(MP_QSTR_getcwd), MP_ROM_PTR(&vfs_ram_getcwd_obj) },
    { MP_ROM_QSTR(MP_QSTR_ilistdir), MP_ROM_PTR(&vfs_ram_ilistdir_obj) },
    { MP_ROM_QSTR(MP_QSTR_mkdir), MP_ROM_PTR(&vfs_ram_mkdir_obj) },
    { MP_ROM_QSTR(MP_QSTR_remove), MP_ROM_PTR(&vfs_ram_remove_obj) },
    { MP_ROM_QSTR(MP_QSTR_rename), MP_ROM_PTR(&vfs_ram_rename_obj) },
    { MP_ROM_QSTR(MP_QSTR_rmdir), MP_ROM_PTR(&vfs_ram_rmdir_obj) },
    { MP_ROM_QSTR(MP_QSTR_stat), MP_ROM_PTR(&vfs_ram_stat_obj) },
    { MP_ROM_QSTR(MP_QSTR_statvfs), MP_ROM_PTR(&vfs_ram_statvfs_obj) },
};
static MP_DEFINE_CONST_DICT(vfs_ram_locals, vfs_ram_locals_table);

static MP_DEFINE_CONST_OBJ_TYPE(
    vfs_ram_type, MP_QSTR_VfsRam, MP_TYPE_FLAG_NONE, protocol, &vfs_ram_proto, locals_dict, &vfs_ram_locals);
