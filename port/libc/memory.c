// The C library's functions on memory, for boot/ as well as for the interpreter.
//
// Written for few instructions: small blocks are moved whole, with two overlapping accesses instead
// of a loop; long ones 64 bytes at a time with SSE2, which every x86-64 has. "rep movs" is left out:
// an emulator runs it step by step. They use SSE registers, so code that an interrupt reaches must
// not call them.

#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

#include "sse.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) u64;
typedef uint32_t __attribute__((may_alias, aligned(1))) u32;
typedef uint16_t __attribute__((may_alias, aligned(1))) u16;

static inline void store(void *p, __m128i v) {
    _mm_storeu_si128(p, v);
}

// ---- copying -----------------------------------------------------------------------------------------
// Up to 16 bytes: all loads come before the stores, so overlap does not matter.
static inline void copy_small(byte *d, const byte *s, size_t n) {
    if (n >= 8) {
        uint64_t head = *(const u64 *)s, tail = *(const u64 *)(s + n - 8);
        *(u64 *)d = head;
        *(u64 *)(d + n - 8) = tail;
    } else if (n >= 4) {
        uint32_t head = *(const u32 *)s, tail = *(const u32 *)(s + n - 4);
        *(u32 *)d = head;
        *(u32 *)(d + n - 4) = tail;
    } else if (n >= 2) {
        uint16_t head = *(const u16 *)s, tail = *(const u16 *)(s + n - 2);
        *(u16 *)d = head;
        *(u16 *)(d + n - 2) = tail;
    } else if (n != 0) {
        *d = *s;
    }
}

// 33 to 128 bytes, the same way.
static inline void copy_medium(byte *d, const byte *s, size_t n) {
    __m128i a = load(s), b = load(s + 16), y = load(s + n - 32), z = load(s + n - 16);
    if (n > 64) {
        __m128i c = load(s + 32), e = load(s + 48), w = load(s + n - 64), x = load(s + n - 48);
        store(d + 32, c);
        store(d + 48, e);
        store(d + n - 64, w);
        store(d + n - 48, x);
    }
    store(d, a);
    store(d + 16, b);
    store(d + n - 32, y);
    store(d + n - 16, z);
}

static inline void copy_64(byte *d, const byte *s) {
    __m128i a = load(s), b = load(s + 16), c = load(s + 32), e = load(s + 48);
    store(d, a);
    store(d + 16, b);
    store(d + 32, c);
    store(d + 48, e);
}

// More than 128 bytes. The last 64, or when going down the first 64, are loaded before anything is
// stored and stored at the end.
static void copy_up(byte *d, const byte *s, size_t n) {
    byte *last = d + n - 64;
    __m128i w = load(s + n - 64), x = load(s + n - 48), y = load(s + n - 32), z = load(s + n - 16);
    for (; d < last; d += 64, s += 64) {
        copy_64(d, s);
    }
    store(last, w);
    store(last + 16, x);
    store(last + 32, y);
    store(last + 48, z);
}

static void copy_down(byte *d, const byte *s, size_t n) {
    __m128i w = load(s), x = load(s + 16), y = load(s + 32), z = load(s + 48);
    for (; n > 64; n -= 64) {
        copy_64(d + n - 64, s + n - 64);
    }
    store(d, w);
    store(d + 16, x);
    store(d + 32, y);
    store(d + 48, z);
}

void *memmove(void *to, const void *from, size_t n) {
    byte *d = to;
    const byte *s = from;
    if (n <= 16) {
        copy_small(d, s, n);
    } else if (n <= 32) {
        __m128i head = load(s), tail = load(s + n - 16);
        store(d, head);
        store(d + n - 16, tail);
    } else if (n <= 128) {
        copy_medium(d, s, n);
    } else if ((size_t)(d - s) >= n) {
        copy_up(d, s, n);
    } else {
        copy_down(d, s, n);
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n) __attribute__((alias("memmove")));

// ---- filling -----------------------------------------------------------------------------------------
static inline void fill_small(byte *d, uint64_t v, size_t n) {
    if (n >= 8) {
        *(u64 *)d = v;
        *(u64 *)(d + n - 8) = v;
    } else if (n >= 4) {
        *(u32 *)d = v;
        *(u32 *)(d + n - 4) = v;
    } else if (n != 0) {
        d[0] = v;
        d[n / 2] = v;
        d[n - 1] = v;
    }
}

void *memset(void *to, int c, size_t n) {
    byte *d = to;
    uint64_t pattern = (byte)c * 0x0101010101010101u;
    if (n <= 16) {
        fill_small(d, pattern, n);
        return to;
    }
    __m128i v = _mm_set1_epi64x(pattern);
    byte *end = d + n;
    if (n > 32) {
        for (; d + 64 < end; d += 64) {
            store(d, v);
            store(d + 16, v);
            store(d + 32, v);
            store(d + 48, v);
        }
        if (end - d > 32) {
            store(d, v);
            store(d + 16, v);
        }
        store(end - 32, v);     // n > 32: it starts inside
    } else {
        store(d, v);
    }
    store(end - 16, v);
    return to;
}

// memset to zero that the compiler may not leave out: for keys.
void explicit_bzero(void *p, size_t n) {
    memset(p, 0, n);
    __asm__ volatile ("" : : "r" (p) : "memory");
}

// ---- comparing ---------------------------------------------------------------------------------------
static inline int order_u64(uint64_t a, uint64_t b) {
    a = __builtin_bswap64(a);
    b = __builtin_bswap64(b);
    return (a > b) - (a < b);
}

static inline int compare_small(const byte *a, const byte *b, size_t n) {
    if (n >= 8) {
        uint64_t x = *(const u64 *)a, y = *(const u64 *)b;
        return x != y ? order_u64(x, y) : order_u64(*(const u64 *)(a + n - 8), *(const u64 *)(b + n - 8));
    }
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return a[i] - b[i];
        }
    }
    return 0;
}

static inline bool equal64(const byte *a, const byte *b) {
    __m128i first = _mm_cmpeq_epi8(load(a), load(b)), second = _mm_cmpeq_epi8(load(a + 16), load(b + 16));
    __m128i third = _mm_cmpeq_epi8(load(a + 32), load(b + 32)), last = _mm_cmpeq_epi8(load(a + 48), load(b + 48));
    return _mm_movemask_epi8(_mm_and_si128(_mm_and_si128(first, second), _mm_and_si128(third, last))) == ALL16;
}

int memcmp(const void *a_in, const void *b_in, size_t n) {
    const byte *a = a_in, *b = b_in;
    if (n <= 16) {
        return compare_small(a, b, n);
    }
    size_t i = 0;
    while (n - i > 64 && equal64(a + i, b + i)) {
        i += 64;
    }
    for (;; i += 16) {
        if (i + 16 > n) {
            i = n - 16;         // the rest, with some bytes a second time
        }
        unsigned differ = equal16(load(a + i), load(b + i)) ^ ALL16;
        if (differ != 0) {
            i += __builtin_ctz(differ);
            return a[i] - b[i];
        }
        if (i + 16 == n) {
            return 0;
        }
    }
}

// ---- scanning --------------------------------------------------------------------------------------------
// Aligned blocks of 16 bytes: they never reach into another page than a byte that is looked for.
void *memchr(const void *s_in, int c, size_t n) {
    const byte *s = s_in, *p = ALIGN16(s);
    __m128i want = _mm_set1_epi8(c);
    if (n == 0) {
        return NULL;
    }
    const byte *last = n > UINTPTR_MAX - (uintptr_t)s ? (const byte *)UINTPTR_MAX : s + n - 1;
    unsigned hits = equal16(_mm_load_si128((const __m128i *)p), want) & ALL16 << ((uintptr_t)s & 15);
    while (hits == 0) {
        if (last - p < 16) {
            return NULL;
        }
        p += 16;
        hits = equal16(_mm_load_si128((const __m128i *)p), want);
    }
    p += __builtin_ctz(hits);
    return p <= last ? (void *)p : NULL;
}
