// What the fuzzers of flat inputs share: an input of libFuzzer's is the bytes that are judged, or fields and then those.
#ifndef KEELBACK_FUZZ_FLAT_H
#define KEELBACK_FUZZ_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static inline void must(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

typedef struct { const uint8_t *at; size_t left; } input_t;

// Move len bytes of the input to out; what is missing is zero. -> how many there were
static inline size_t take(input_t *in, void *out, size_t len) {
    size_t n = len < in->left ? len : in->left;
    memset(out, 0, len);
    memcpy(out, in->at, n);
    in->at += n;
    in->left -= n;
    return n;
}

#endif
