// The two drivers of a fuzzer, and their choices: choices.h. An input's bytes are taken as few as will do, so that changing one
// changes one choice.

#include "choices.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t state;
static unsigned seed;

static uint32_t random32(void) {            // xorshift64*
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1dull >> 32;
}

static void restart(unsigned from) {
    seed = from;
    state = seed * 0x9e3779b97f4a7c15ull + 1;
}

void noise(void *out, size_t len) {
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = random32();
    }
}

#ifdef GUIDED
static const uint8_t *at, *end;

static uint32_t take(unsigned len) {
    uint32_t v = 0;
    if (at == end) {
        return random32() >> (32 - 8 * len);
    }
    for (unsigned i = 0; i < len && at < end; i++) {
        v |= (uint32_t)*at++ << 8 * i;
    }
    return v;
}

uint32_t rnd(void) {
    return take(4);
}

uint32_t below(uint32_t n) {
    return n < 2 ? 0 : take(n <= 0x100 ? 1 : n <= 0x10000 ? 2 : 4) % n;
}

void fill(void *out, size_t len) {
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)out)[i] = take(1);
    }
}

bool go_on(unsigned done, unsigned most) {
    return done < most && at < end;
}

void fuzz_where(void) {
    fprintf(stderr, "an input of libFuzzer's: ");
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    restart(0);
    at = end = NULL;
    harness_start();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    restart(0);
    at = data;
    end = data + len;
    harness_round();
    return 0;
}
#else
uint32_t rnd(void) {
    return random32();
}

uint32_t below(uint32_t n) {
    return (uint64_t)random32() * n >> 32;
}

void fill(void *out, size_t len) {
    noise(out, len);
}

bool go_on(unsigned done, unsigned most) {
    return done < most;
}

void fuzz_where(void) {
    fprintf(stderr, "seed %u: ", seed);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "%s SEED ROUNDS\n", argv[0]);
        return 2;
    }
    unsigned first = atoi(argv[1]), rounds = atoi(argv[2]);
    restart(first);
    harness_start();
    for (unsigned i = 0; i < rounds; i++) {
        restart(first + i);
        harness_round();
    }
    return harness_end(rounds) ? 0 : 1;
}
#endif

_Noreturn void fuzz_fail(const char *what) {
    fuzz_where();
    fprintf(stderr, "%s\n", what);
    abort();
}
