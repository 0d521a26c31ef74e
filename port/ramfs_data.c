// File contents of the file system in memory.
//
// A file's bytes lie in pages of their own, one array of pointers to each file; nothing is copied
// when it grows. A file of the boot volume stays where boot/ put it until it is first written to.
// Files take at most half of the memory that pages have when the system starts.

#include <string.h>

#include "py/mperrno.h"
#include "boot/boot.h"
#include "kmem.h"
#include "ramfs_internal.h"

static uint64_t used, total;    // bytes

void ramfs_data_init(void) {
    total = page_stats().free / 2;
}

uint64_t ramfs_total(void) {
    return total;
}

uint64_t ramfs_used(void) {
    return used;
}

bool ramfs_charge(size_t len) {
    if (len > total - used) {
        return false;
    }
    used += len;
    return true;
}

void ramfs_refund(size_t len) {
    used -= len;
}

// ---- pages ------------------------------------------------------------------------------------------
static void pages_drop(ramfs_node_t *node, size_t keep) {
    while (node->file.page_count > keep) {
        page_free(node->file.pages[--node->file.page_count], 1);
        ramfs_refund(PAGE_SIZE);
    }
}

static bool table_reserve(ramfs_node_t *node, size_t count) {
    size_t room = node->file.room, size = sizeof(uint8_t *);
    if (count <= room) {
        return true;
    }
    size_t new_room = room * 2 > count ? room * 2 : count;
    uint8_t **pages = kmem_grow(node->file.pages, room * size, new_room * size);
    if (pages == NULL) {
        return false;
    }
    node->file.pages = pages;
    node->file.room = new_room;
    return true;
}

// Pages enough for size bytes, or as before and false.
static bool pages_reserve(ramfs_node_t *node, uint64_t size) {
    size_t before = node->file.page_count, need = (size + PAGE_SIZE - 1) / PAGE_SIZE;
    if (size > total || !table_reserve(node, need)) {
        return false;
    }
    while (node->file.page_count < need) {
        uint8_t *page = ramfs_charge(PAGE_SIZE) ? page_alloc(1) : NULL;
        if (page == NULL) {
            pages_drop(node, before);
            return false;
        }
        node->file.pages[node->file.page_count++] = page;
    }
    return true;
}

// Call for each run of bytes within one page: copy from buf, or fill with zeroes where it is NULL.
static void pages_put(ramfs_node_t *node, uint64_t offset, const uint8_t *buf, size_t len) {
    while (len > 0) {
        size_t in_page = offset % PAGE_SIZE, n = PAGE_SIZE - in_page < len ? PAGE_SIZE - in_page : len;
        uint8_t *to = node->file.pages[offset / PAGE_SIZE] + in_page;
        if (buf == NULL) {
            memset(to, 0, n);
        } else {
            memcpy(to, buf, n);
            buf += n;
        }
        offset += n;
        len -= n;
    }
}

// Make the contents ours: size bytes of what was borrowed are kept, with room for reserve bytes.
static bool own(ramfs_node_t *node, uint64_t size, uint64_t reserve) {
    const uint8_t *data = node->file.borrowed;
    if (!pages_reserve(node, reserve)) {
        return false;
    }
    if (data != NULL) {
        pages_put(node, 0, data, size);
        node->file.borrowed = NULL;
    }
    return true;
}

void ramfs_data_free(ramfs_node_t *node) {
    pages_drop(node, 0);
    kmem_free(node->file.pages, node->file.room * sizeof(uint8_t *));
    node->file.pages = NULL;
    node->file.room = 0;
    node->file.borrowed = NULL;
    node->size = 0;
}

// ---- reading and writing --------------------------------------------------------------------------------
static void touch(ramfs_node_t *node) {
    node->mtime = clock_wall_ns() / 1000000000;
}

size_t ramfs_read(const ramfs_node_t *node, uint64_t offset, void *buf, size_t len) {
    if (offset >= node->size) {
        return 0;
    }
    len = len < node->size - offset ? len : node->size - offset;
    if (node->file.borrowed != NULL) {
        memcpy(buf, node->file.borrowed + offset, len);
        return len;
    }
    for (size_t done = 0; done < len;) {
        size_t in_page = offset % PAGE_SIZE, left = len - done;
        size_t n = PAGE_SIZE - in_page < left ? PAGE_SIZE - in_page : left;
        memcpy((uint8_t *)buf + done, node->file.pages[offset / PAGE_SIZE] + in_page, n);
        offset += n;
        done += n;
    }
    return len;
}

int ramfs_write(ramfs_node_t *node, uint64_t offset, const void *buf, size_t len) {
    uint64_t end = offset + len;
    if (end < offset || !own(node, node->size, end > node->size ? end : node->size)) {
        return -MP_ENOSPC;
    }
    if (offset > node->size) {
        pages_put(node, node->size, NULL, offset - node->size);     // a hole reads as zeroes
    }
    pages_put(node, offset, buf, len);
    node->size = end > node->size ? end : node->size;
    touch(node);
    return 0;
}

int ramfs_truncate(ramfs_node_t *node, uint64_t size) {
    if (size == 0) {
        ramfs_data_free(node);
    } else if (!own(node, size < node->size ? size : node->size, size)) {
        return -MP_ENOSPC;
    } else if (size > node->size) {
        pages_put(node, node->size, NULL, size - node->size);
    } else {
        pages_drop(node, (size + PAGE_SIZE - 1) / PAGE_SIZE);
    }
    node->size = size;
    touch(node);
    return 0;
}
