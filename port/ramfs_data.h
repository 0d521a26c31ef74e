// File contents and the limit on memory, for ramfs.c only: ramfs_data.c.
#ifndef KEELBACK_PORT_RAMFS_DATA_H
#define KEELBACK_PORT_RAMFS_DATA_H

#include "ramfs.h"

void ramfs_data_init(void);
bool ramfs_charge(size_t len);      // count bytes as used; false: that would pass the limit
void ramfs_refund(size_t len);
void ramfs_data_free(ramfs_node_t *node);   // all that a file's contents took

#endif
