// The file system in memory as MicroPython sees it: vfs_ram.c, vfs_ram_file.c.
#ifndef KEELBACK_PORT_VFS_RAM_H
#define KEELBACK_PORT_VFS_RAM_H

#include "py/obj.h"
#include "ramfs.h"

void vfs_ram_mount(void);       // at "/"; the first time with the boot volume's files in it
void vfs_ram_check(int err);    // OSError for a negative errno
mp_obj_t vfs_ram_file_open(const char *path, const char *mode);     // path absolute and resolved

#endif
