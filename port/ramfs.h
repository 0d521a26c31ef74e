// A file system in memory: ramfs.c, ramfs_path.c, ramfs_data.c. It knows nothing of Python and lives outside of its heap, so that
// files outlive a soft reset and the collector does not scan them.
#ifndef KEELBACK_PORT_RAMFS_H
#define KEELBACK_PORT_RAMFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAMFS_NAME_MAX 255      // bytes
#define RAMFS_PATH_MAX 1023     // bytes, without the final NUL

typedef struct ramfs_node {
    struct ramfs_node *parent;  // NULL: the root, or unlinked
    union {
        struct {
            struct ramfs_node **nodes;  // sorted by name
            size_t count, room;
        } dir;
        struct {
            uint8_t **pages;            // page_count of them, in an array with room
            size_t page_count, room;
            const uint8_t *borrowed;    // contents that somebody else keeps; NULL: ours, in pages
        } file;
    };
    uint64_t size;              // of a file, bytes
    int64_t mtime;              // seconds since 1970
    uint32_t users;             // open files and running listings; freed when unlinked and none are left
    bool is_dir;
    uint8_t name_len;           // bytes
    char *name;                 // UTF-8, NUL-terminated
} ramfs_node_t;

// Everything that can fail returns a negative errno (py/mperrno.h), or 0 or a count.
int ramfs_init(void);           // an empty root; once
ramfs_node_t *ramfs_root(void);
int ramfs_resolve(const char *cwd, const char *path, char *out);    // -> absolute, no ".", "..", "//"; out: RAMFS_PATH_MAX + 1
// Absolute resolved paths from here on.
int ramfs_find(const char *path, ramfs_node_t **node);
int ramfs_create(const char *path, bool is_dir, ramfs_node_t **node);   // EEXIST where it is
int ramfs_add(const char *path, bool is_dir, const uint8_t *data, uint64_t size, int64_t mtime);    // borrows data
int ramfs_remove(const char *path, bool is_dir);
int ramfs_rename(const char *from, const char *to);
// The entry of dir whose name follows after (NULL: the first), or NULL.
ramfs_node_t *ramfs_next(const ramfs_node_t *dir, const char *after, size_t after_len);
void ramfs_use(ramfs_node_t *node);
void ramfs_unuse(ramfs_node_t *node);
size_t ramfs_read(const ramfs_node_t *node, uint64_t offset, void *buf, size_t len);
int ramfs_write(ramfs_node_t *node, uint64_t offset, const void *buf, size_t len);  // all of it, or ENOSPC and nothing
int ramfs_truncate(ramfs_node_t *node, uint64_t size);
uint64_t ramfs_total(void);     // bytes that files may take, of them
uint64_t ramfs_used(void);

#endif
