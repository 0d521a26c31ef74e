// What memory.c and string.c share: 16 bytes at a time.
#ifndef KEELBACK_LIBC_SSE_H
#define KEELBACK_LIBC_SSE_H

#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>

typedef unsigned char byte;

#define ALL16 0xffffu
#define ALIGN16(p) ((const byte *)((uintptr_t)(p) & ~(uintptr_t)15))

static inline __m128i load(const void *p) {
    return _mm_loadu_si128(p);
}

// A bit for each of 16 bytes that are equal.
static inline unsigned equal16(__m128i a, __m128i b) {
    return _mm_movemask_epi8(_mm_cmpeq_epi8(a, b));
}

#endif
