// What the collected heap wants of MicroPython's headers, for its test on the host: configuration.
#ifndef TEST_MPCONFIG_H
#define TEST_MPCONFIG_H

#define MICROPY_BYTES_PER_GC_BLOCK 32
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MP_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
