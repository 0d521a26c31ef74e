// A memcmp for code that compares at every place of a text, as py/objstr.c does: most comparisons end at the first byte.
// port.mk includes it in front of such a file.

#include <string.h>

static inline int compare_first(const void *a, const void *b, size_t n) {
    int differ = n == 0 ? 0 : *(const unsigned char *)a - *(const unsigned char *)b;
    return differ != 0 ? differ : memcmp(a, b, n);
}

#define memcmp compare_first
