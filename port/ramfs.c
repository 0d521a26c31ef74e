// The tree of the file system in memory: names, folders, links. File contents: ramfs_data.c.
//
// A folder is an array sorted by name, so that lookups are a binary search and a listing goes on
// from the name it gave last, whatever happened in between. Nodes come from kmem.c; a node that was
// unlinked while in use lives until its last user lets go of it.

#include <string.h>

#include "py/mperrno.h"
#include "boot/boot.h"
#include "kmem.h"
#include "ramfs.h"
#include "ramfs_data.h"

static ramfs_node_t *root;

ramfs_node_t *ramfs_root(void) {
    return root;
}

// ---- nodes ------------------------------------------------------------------------------------------
// Memory that counts against the file system's limit.
static void *charged_alloc(size_t len) {
    if (!ramfs_charge(kmem_cost(len))) {
        return NULL;
    }
    void *p = kmem_alloc(len);
    if (p == NULL) {
        ramfs_refund(kmem_cost(len));
    }
    return p;
}

static void charged_free(void *p, size_t len) {
    ramfs_refund(kmem_cost(len));
    kmem_free(p, len);
}

static char *name_new(const char *name, size_t len) {
    char *copy = charged_alloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, name, len);
        copy[len] = '\0';
    }
    return copy;
}

static ramfs_node_t *node_new(const char *name, size_t name_len, bool is_dir) {
    ramfs_node_t *node = charged_alloc(sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    memset(node, 0, sizeof(*node));
    node->name = name_new(name, name_len);
    if (node->name == NULL) {
        charged_free(node, sizeof(*node));
        return NULL;
    }
    node->is_dir = is_dir;
    node->name_len = name_len;
    node->mtime = clock_wall_ns() / 1000000000;
    return node;
}

static void node_free(ramfs_node_t *node) {
    if (node->is_dir) {
        kmem_free(node->dir.nodes, node->dir.room * sizeof(ramfs_node_t *));
    } else {
        ramfs_data_free(node);
    }
    charged_free(node->name, node->name_len + 1);
    charged_free(node, sizeof(*node));
}

void ramfs_use(ramfs_node_t *node) {
    node->users++;
}

void ramfs_unuse(ramfs_node_t *node) {
    if (--node->users == 0 && node->parent == NULL && node != root) {
        node_free(node);
    }
}

int ramfs_init(void) {
    ramfs_data_init();
    root = node_new("", 0, true);
    return root == NULL ? -MP_ENOMEM : 0;
}

// ---- folders ----------------------------------------------------------------------------------------
static int name_compare(const ramfs_node_t *node, const char *name, size_t len) {
    size_t common = node->name_len < len ? node->name_len : len;
    int order = memcmp(node->name, name, common);
    return order != 0 ? order : (int)node->name_len - (int)len;
}

// Where a name is, or belongs: the first entry not before it. *found: whether that is it.
static size_t dir_search(const ramfs_node_t *dir, const char *name, size_t len, bool *found) {
    size_t low = 0, high = dir->dir.count;
    *found = false;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = name_compare(dir->dir.nodes[middle], name, len);
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
            *found |= order == 0;
        }
    }
    return low;
}

// Room for one more entry. A folder's array is not counted against the limit: its nodes are.
static bool dir_reserve(ramfs_node_t *dir) {
    if (dir->dir.count < dir->dir.room) {
        return true;
    }
    size_t room = dir->dir.room == 0 ? 4 : dir->dir.room * 2, size = sizeof(ramfs_node_t *);
    ramfs_node_t **nodes = kmem_grow(dir->dir.nodes, dir->dir.room * size, room * size);
    if (nodes == NULL) {
        return false;
    }
    dir->dir.nodes = nodes;
    dir->dir.room = room;
    return true;
}

// After dir_reserve().
static void dir_insert(ramfs_node_t *dir, ramfs_node_t *node) {
    bool found;
    size_t at = dir_search(dir, node->name, node->name_len, &found);
    ramfs_node_t **place = dir->dir.nodes + at;
    memmove(place + 1, place, (dir->dir.count - at) * sizeof(*place));
    *place = node;
    dir->dir.count++;
    node->parent = dir;
}

static void dir_remove(ramfs_node_t *node) {
    ramfs_node_t *dir = node->parent;
    bool found;
    size_t at = dir_search(dir, node->name, node->name_len, &found);
    ramfs_node_t **place = dir->dir.nodes + at;
    dir->dir.count--;
    memmove(place, place + 1, (dir->dir.count - at) * sizeof(*place));
    node->parent = NULL;
}

static void unlink_node(ramfs_node_t *node) {
    dir_remove(node);
    if (node->users == 0) {
        node_free(node);
    }
}

ramfs_node_t *ramfs_next(const ramfs_node_t *dir, const char *after, size_t after_len) {
    size_t at = 0;
    if (after != NULL) {
        bool found;
        at = dir_search(dir, after, after_len, &found);
        at += found;
    }
    return at < dir->dir.count ? dir->dir.nodes[at] : NULL;
}

// ---- paths ------------------------------------------------------------------------------------------
int ramfs_resolve(const char *cwd, const char *path, char *out) {
    size_t len = 0;
    const char *parts[2] = { *path == '/' ? "" : cwd, path };
    for (int i = 0; i < 2; i++) {
        for (const char *p = parts[i]; *p != '\0';) {
            size_t n = 0;
            while (p[n] != '\0' && p[n] != '/') {
                n++;
            }
            if (n == 2 && p[0] == '.' && p[1] == '.') {
                while (len > 0 && out[--len] != '/') {
                }
            } else if (n > 0 && !(n == 1 && p[0] == '.')) {
                if (n > RAMFS_NAME_MAX || len + 1 + n > RAMFS_PATH_MAX) {
                    return -MP_EINVAL;
                }
                out[len++] = '/';
                memcpy(out + len, p, n);
                len += n;
            }
            p += n + (p[n] == '/');
        }
    }
    if (len == 0) {
        out[len++] = '/';
    }
    out[len] = '\0';
    return 0;
}

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
        size_t at = dir_search(node, p, len, &found);
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
    size_t at = dir_search(dir, name, len, &found);
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
    dir_search(dir, name, len, &found);
    if (found) {
        return -MP_EEXIST;
    }
    *node = dir_reserve(dir) ? node_new(name, len, is_dir) : NULL;
    if (*node == NULL) {
        return -MP_ENOSPC;
    }
    dir_insert(dir, *node);
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
    char *copy = dir_reserve(dir) ? name_new(name, len) : NULL;
    if (copy == NULL) {
        return -MP_ENOSPC;
    }
    int err = make_room(node, to);
    if (err != 0) {
        charged_free(copy, len + 1);
        return err;
    }
    dir_remove(node);
    charged_free(node->name, node->name_len + 1);
    node->name = copy;
    node->name_len = len;
    dir_insert(dir, node);
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
