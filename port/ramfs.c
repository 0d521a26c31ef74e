// The tree of the file system in memory: finding, creating, removing and renaming.
//
// A node that was unlinked while in use lives until its last user lets go of it.

#include <string.h>

#include "py/mperrno.h"
#include "ramfs_internal.h"

static ramfs_node_t *root;

ramfs_node_t *ramfs_root(void) {
    return root;
}

void ramfs_use(ramfs_node_t *node) {
    node->users++;
}

void ramfs_unuse(ramfs_node_t *node) {
    if (--node->users == 0 && node->parent == NULL && node != root) {
        ramfs_node_free(node);
    }
}

int ramfs_init(void) {
    ramfs_data_init();
    root = ramfs_node_new("", 0, true);
    return root == NULL ? -MP_ENOMEM : 0;
}

static void unlink_node(ramfs_node_t *node) {
    ramfs_dir_remove(node);
    if (node->users == 0) {
        ramfs_node_free(node);
    }
}

ramfs_node_t *ramfs_next(const ramfs_node_t *dir, const char *after, size_t after_len) {
    size_t at = 0;
    if (after != NULL) {
        bool found;
        at = ramfs_dir_search(dir, after, after_len, &found);
        at += found;
    }
    return at < dir->dir.count ? dir->dir.nodes[at] : NULL;
}

// ---- finding ----------------------------------------------------------------------------------------
// The folder that holds path's last component, and that component.
static int find_parent(const char *path, ramfs_node_t **dir, const char **name, size_t *name_len) {
    ramfs_node_t *node = root;
    for (const char *p = path + 1;;) {
        const char *slash = strchr(p, '/');
        size_t len = slash == NULL ? strlen(p) : (size_t)(slash - p);
        if (!node->is_dir) {
            return -MP_ENOTDIR;
        }
        if (slash == NULL) {
            *dir = node;
            *name = p;
            *name_len = len;
            return 0;
        }
        bool found;
        size_t at = ramfs_dir_search(node, p, len, &found);
        if (!found) {
            return -MP_ENOENT;
        }
        node = node->dir.nodes[at];
        p = slash + 1;
    }
}

int ramfs_find(const char *path, ramfs_node_t **node) {
    ramfs_node_t *dir;
    const char *name;
    size_t len;
    if (path[1] == '\0') {
        *node = root;
        return 0;
    }
    int err = find_parent(path, &dir, &name, &len);
    if (err != 0) {
        return err;
    }
    bool found;
    size_t at = ramfs_dir_search(dir, name, len, &found);
    if (!found) {
        return -MP_ENOENT;
    }
    *node = dir->dir.nodes[at];
    return 0;
}

// ---- changes ----------------------------------------------------------------------------------------
int ramfs_create(const char *path, bool is_dir, ramfs_node_t **node) {
    ramfs_node_t *dir;
    const char *name;
    size_t len;
    int err = path[1] == '\0' ? -MP_EEXIST : find_parent(path, &dir, &name, &len);
    if (err != 0) {
        return err;
    }
    bool found;
    ramfs_dir_search(dir, name, len, &found);
    if (found) {
        return -MP_EEXIST;
    }
    *node = ramfs_dir_reserve(dir) ? ramfs_node_new(name, len, is_dir) : NULL;
    if (*node == NULL) {
        return -MP_ENOSPC;
    }
    ramfs_dir_insert(dir, *node);
    return 0;
}

int ramfs_add(const char *path, bool is_dir, const uint8_t *data, uint64_t size, int64_t mtime) {
    ramfs_node_t *node;
    int err = ramfs_create(path, is_dir, &node);
    if (err == 0) {
        node->mtime = mtime;
        node->size = size;
        if (!is_dir) {
            node->file.borrowed = data;
        }
    }
    return err;
}

int ramfs_remove(const char *path, bool is_dir) {
    ramfs_node_t *node;
    int err = ramfs_find(path, &node);
    if (err != 0) {
        return err;
    }
    if (node->is_dir != is_dir) {
        return is_dir ? -MP_ENOTDIR : -MP_EISDIR;
    }
    if (node == root) {
        return -MP_EBUSY;
    }
    if (is_dir && node->dir.count > 0) {
        return -MP_EACCES;      // what FAT answers; there is no ENOTEMPTY
    }
    unlink_node(node);
    return 0;
}

// Take away what a rename replaces: a file by a file, an empty folder by a folder.
static int make_room(ramfs_node_t *old, const char *to) {
    ramfs_node_t *there;
    if (ramfs_find(to, &there) != 0) {
        return 0;
    }
    return ramfs_remove(to, old->is_dir);
}

static bool is_within(const ramfs_node_t *node, const ramfs_node_t *dir) {
    while (node != NULL && node != dir) {
        node = node->parent;
    }
    return node != NULL;
}

// Put a node under a new name into a folder.
static int move(ramfs_node_t *node, ramfs_node_t *dir, const char *name, size_t len, const char *to) {
    char *copy = ramfs_dir_reserve(dir) ? ramfs_name_new(name, len) : NULL;
    if (copy == NULL) {
        return -MP_ENOSPC;
    }
    int err = make_room(node, to);
    if (err != 0) {
        ramfs_charged_free(copy, len + 1);
        return err;
    }
    ramfs_dir_remove(node);
    ramfs_charged_free(node->name, node->name_len + 1);
    node->name = copy;
    node->name_len = len;
    ramfs_dir_insert(dir, node);
    return 0;
}

int ramfs_rename(const char *from, const char *to) {
    ramfs_node_t *node, *dir;
    const char *name;
    size_t len;
    int err = ramfs_find(from, &node);
    if (err != 0 || strcmp(from, to) == 0) {
        return err;
    }
    err = to[1] == '\0' ? -MP_EEXIST : find_parent(to, &dir, &name, &len);
    if (err != 0) {
        return err;
    }
    if (node == root || is_within(dir, node)) {
        return -MP_EINVAL;
    }
    return move(node, dir, name, len, to);
}
