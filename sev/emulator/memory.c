// The functions that GCC and mbedTLS call, without SSE registers: those are the guest's.

#include <stddef.h>
#include <stdint.h>

void *memcpy(void *out, const void *in, size_t len);
void *memmove(void *out, const void *in, size_t len);
void *memset(void *out, int byte, size_t len);
int memcmp(const void *a, const void *b, size_t len);
void *memchr(const void *in, int byte, size_t len);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;

void *memcpy(void *out, const void *in, size_t len) {
    uint8_t *o = out;
    const uint8_t *i = in;
    for (; len >= 8; len -= 8, o += 8, i += 8) {
        *(word_t *)o = *(const word_t *)i;
    }
    while (len-- > 0) {
        *o++ = *i++;
    }
    return out;
}

void *memmove(void *out, const void *in, size_t len) {
    uint8_t *o = out;
    const uint8_t *i = in;
    if (o <= i || o >= i + len) {
        return memcpy(out, in, len);
    }
    while (len-- > 0) {
        o[len] = i[len];
    }
    return out;
}

void *memset(void *out, int byte, size_t len) {
    uint8_t *o = out;
    uint64_t word = (uint8_t)byte * 0x0101010101010101ull;
    for (; len >= 8; len -= 8, o += 8) {
        *(word_t *)o = word;
    }
    while (len-- > 0) {
        *o++ = byte;
    }
    return out;
}

int memcmp(const void *a, const void *b, size_t len) {
    const uint8_t *p = a, *q = b;
    for (; len > 0 && *p == *q; len--, p++, q++) {
    }
    return len == 0 ? 0 : *p - *q;
}

void *memchr(const void *in, int byte, size_t len) {
    const uint8_t *p = in;
    for (; len > 0; len--, p++) {
        if (*p == (uint8_t)byte) {
            return (void *)p;
        }
    }
    return NULL;
}

size_t strlen(const char *s) {
    size_t n = 0;
    while (s[n] != 0) {
        n++;
    }
    return n;
}

int strcmp(const char *a, const char *b) {
    for (; *a != 0 && *a == *b; a++, b++) {
    }
    return (uint8_t)*a - (uint8_t)*b;
}
