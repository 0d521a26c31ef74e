// What the files of the file system in memory keep among themselves, grouped by the one that implements it.
#ifndef KEELBACK_PORT_RAMFS_INTERNAL_H
#define KEELBACK_PORT_RAMFS_INTERNAL_H

#include "ramfs.h"

// ---- ramfs_node.c -----------------------------------------------------------------------------------
ramfs_node_t *ramfs_node_new(const char *name, size_t name_len, bool is_dir);   // NULL: no room
void ramfs_node_free(ramfs_node_t *node);       // with its contents
char *ramfs_name_new(const char *name, size_t len);
void ramfs_charged_free(void *p, size_t len);   // a name: its length and 1
// Where a name is in a folder, or belongs: the first entry not before it. *found: whether that is it.
size_t ramfs_dir_search(const ramfs_node_t *dir, const char *name, size_t len, bool *found);
bool ramfs_dir_reserve(ramfs_node_t *dir);      // room for one more entry
void ramfs_dir_insert(ramfs_node_t *dir, ramfs_node_t *node);   // after ramfs_dir_reserve()
void ramfs_dir_remove(ramfs_node_t *node);

// ---- ramfs_data.c -----------------------------------------------------------------------------------
void ramfs_data_init(void);
bool ramfs_charge(size_t len);                  // count bytes as used; false: that would pass the limit
void ramfs_refund(size_t len);
void ramfs_data_free(ramfs_node_t *node);       // all that a file's contents took

#endif
