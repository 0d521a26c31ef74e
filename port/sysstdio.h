// sys.stdin, stdout and stderr: sysstdio.c.
#ifndef KEELBACK_PORT_SYSSTDIO_H
#define KEELBACK_PORT_SYSSTDIO_H

#include <stdbool.h>
#include <stddef.h>

void stdio_reset(void);                 // blocking again
bool stdio_set_blocking(bool blocking); // of sys.stdin.buffer -> what it was
void stdio_return(const char *bytes, size_t len);   // give input back: it is read first
int stdio_getc(void);                   // next byte of input, or -1
size_t stdio_take(char *buf, size_t size);  // what has arrived, without waiting -> bytes
bool stdio_readable(void);

#endif
