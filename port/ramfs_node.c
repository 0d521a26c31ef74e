// Nodes of the file system in memory, and folders: arrays sorted by name.
//
// A lookup is a binary search; a listing goes on from the name that it gave last. Nodes and names come
// from kmem.c and count against the limit; a folder's array does not, its nodes do.

#include <string.h>

#include "boot/boot.h"
#include "kmem.h"
#include "ramfs_internal.h"

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

void ramfs_charged_free(void *p, size_t len) {
    ramfs_refund(kmem_cost(len));
    kmem_free(p, len);
}

char *ramfs_name_new(const char *name, size_t len) {
    char *copy = charged_alloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, name, len);
        copy[len] = '\0';
    }
    return copy;
}

ramfs_node_t *ramfs_node_new(const char *name, size_t name_len, bool is_dir) {
    ramfs_node_t *node = charged_alloc(sizeof(*node));
    if (node == NULL) {
        return NULL;
    }
    memset(node, 0, sizeof(*node));
    node->name = ramfs_name_new(name, name_len);
    if (node->name == NULL) {
        ramfs_charged_free(node, sizeof(*node));
        return NULL;
    }
    node->is_dir = is_dir;
    node->name_len = name_len;
    node->mtime = clock_wall_ns() / 1000000000;
    return node;
}

void ramfs_node_free(ramfs_node_t *node) {
    if (node->is_dir) {
        kmem_free(node->dir.nodes, node->dir.room * sizeof(ramfs_node_t *));
    } else {
        ramfs_data_free(node);
    }
    ramfs_charged_free(node->name, node->name_len + 1);
    ramfs_charged_free(node, sizeof(*node));
}

// ---- folders ----------------------------------------------------------------------------------------
static int name_compare(const ramfs_node_t *node, const char *name, size_t len) {
    size_t common = node->name_len < len ? node->name_len : len;
    int order = memcmp(node->name, name, common);
    return order != 0 ? order : (int)node->name_len - (int)len;
}

// Where a name is, or belongs: the first entry not before it. *found: whether that is it.
size_t ramfs_dir_search(const ramfs_node_t *dir, const char *name, size_t len, bool *found) {
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
bool ramfs_dir_reserve(ramfs_node_t *dir) {
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

// After ramfs_dir_reserve().
void ramfs_dir_insert(ramfs_node_t *dir, ramfs_node_t *node) {
    bool found;
    size_t at = ramfs_dir_search(dir, node->name, node->name_len, &found);
    ramfs_node_t **place = dir->dir.nodes + at;
    memmove(place + 1, place, (dir->dir.count - at) * sizeof(*place));
    *place = node;
    dir->dir.count++;
    node->parent = dir;
}

void ramfs_dir_remove(ramfs_node_t *node) {
    ramfs_node_t *dir = node->parent;
    bool found;
    size_t at = ramfs_dir_search(dir, node->name, node->name_len, &found);
    ramfs_node_t **place = dir->dir.nodes + at;
    dir->dir.count--;
    memmove(place, place + 1, (dir->dir.count - at) * sizeof(*place));
    node->parent = NULL;
}
