// The machine of the collected heap's test: machine.c.
#ifndef TEST_MACHINE_H
#define TEST_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#define MACHINE_PAGES 24576                     // 96 MiB

extern bool machine_firmware;                   // boot services are alive
extern bool machine_full;                       // page_alloc has nothing more
void machine_start(void);
size_t machine_free(void);                      // pages
void check(bool condition, const char *what);   // ends the process with a message

#endif
