// The C library's functions on strings. Scans read aligned blocks of 16 bytes, which never reach into
// another page than a byte of the string; comparisons look at the distance to the page's end first.

#include <emmintrin.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sse.h"

// ---- comparing -------------------------------------------------------------------------------------------
#define PAGE_LEN 4096u

// Do 16 bytes at p lie in one page?
static inline int within_page(const byte *p) {
    return ((uintptr_t)p & (PAGE_LEN - 1)) <= PAGE_LEN - 16;
}

int strncmp(const char *a_in, const char *b_in, size_t n) {
    const byte *a = (const byte *)a_in, *b = (const byte *)b_in;
    for (size_t i = 0; i < n;) {
        if (within_page(a + i) && within_page(b + i)) {
            __m128i v = load(a + i);
            unsigned stop = (equal16(v, load(b + i)) ^ ALL16) | equal16(v, _mm_setzero_si128());
            i += stop != 0 ? (size_t)__builtin_ctz(stop) : 16;
            if (stop != 0) {
                return i < n ? a[i] - b[i] : 0;
            }
        } else if (a[i] != b[i] || a[i] == 0) {
            return a[i] - b[i];
        } else {
            i++;
        }
    }
    return 0;
}

int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}

// ---- scanning ----------------------------------------------------------------------------------------
size_t strlen(const char *s) {
    const byte *p = ALIGN16(s);
    unsigned zeroes = equal16(_mm_load_si128((const __m128i *)p), _mm_setzero_si128()) >> ((uintptr_t)s & 15);
    if (zeroes != 0) {
        return __builtin_ctz(zeroes);
    }
    do {
        p += 16;
        zeroes = equal16(_mm_load_si128((const __m128i *)p), _mm_setzero_si128());
    } while (zeroes == 0);
    return p + __builtin_ctz(zeroes) - (const byte *)s;
}

char *strchr(const char *s, int c) {
    const byte *p = ALIGN16(s);
    __m128i want = _mm_set1_epi8(c), v = _mm_load_si128((const __m128i *)p);
    unsigned hits = (equal16(v, want) | equal16(v, _mm_setzero_si128())) & ALL16 << ((uintptr_t)s & 15);
    while (hits == 0) {
        p += 16;
        v = _mm_load_si128((const __m128i *)p);
        hits = equal16(v, want) | equal16(v, _mm_setzero_si128());
    }
    p += __builtin_ctz(hits);
    return *p == (byte)c ? (char *)p : NULL;
}

char *strrchr(const char *s, int c) {
    char *found = NULL;
    for (; (s = strchr(s, c)) != NULL; s++) {
        found = (char *)s;
        if (c == 0) {
            break;
        }
    }
    return found;
}

char *strstr(const char *s, const char *what) {
    size_t len = strlen(what);
    if (len == 0) {
        return (char *)s;
    }
    for (; (s = strchr(s, *what)) != NULL; s++) {
        if (strncmp(s, what, len) == 0) {
            return (char *)s;
        }
    }
    return NULL;
}

size_t strspn(const char *s, const char *set) {
    size_t n = 0;
    while (s[n] != '\0' && strchr(set, s[n]) != NULL) {
        n++;
    }
    return n;
}

size_t strcspn(const char *s, const char *set) {
    size_t n = 0;
    while (strchr(set, s[n]) == NULL) {     // finds the final NUL in set as well
        n++;
    }
    return n;
}

char *strpbrk(const char *s, const char *set) {
    s += strcspn(s, set);
    return *s != '\0' ? (char *)s : NULL;
}

char *strcpy(char *to, const char *from) {
    return memcpy(to, from, strlen(from) + 1);
}

char *strcat(char *to, const char *from) {
    strcpy(to + strlen(to), from);
    return to;
}

char *strncpy(char *to, const char *from, size_t n) {
    const char *end = memchr(from, 0, n);
    size_t len = end == NULL ? n : (size_t)(end - from);
    memcpy(to, from, len);
    memset(to + len, 0, n - len);
    return to;
}

int atoi(const char *s) {
    int sign = *s == '-' ? -1 : 1, value = 0;
    for (s += *s == '-' || *s == '+'; *s >= '0' && *s <= '9'; s++) {
        value = value * 10 + (*s - '0');
    }
    return sign * value;
}
