// Memory that faults where it is told to.
#ifndef MACHINE_MEMORY_H
#define MACHINE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint8_t *memory_make(size_t len, size_t align);
void memory_clear(uint8_t *at, size_t len);         // to zeros; whole pages, only those touched cost anything
void memory_allow(uint8_t *at, size_t len, bool read, bool write);

#endif
