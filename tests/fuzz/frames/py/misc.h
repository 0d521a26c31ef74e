// Stands for MicroPython's header of this name: what the fuzzed code uses of it.
#ifndef MIN
#define MIN(x, y) ((x) < (y) ? (x) : (y))
#define MAX(x, y) ((x) > (y) ? (x) : (y))
#endif
