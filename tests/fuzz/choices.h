// Where a fuzzer's choices come from, so that one source serves two drivers (choices.c):
//
// - a program of gcc's, NAME SEED ROUNDS, whose choices are random;
// - with -DGUIDED a target of libFuzzer's, whose choices are the bytes of its input: it sees which code an input reaches, and
//   changes inputs that reach more. Behind an input's end choices go on, always the same, and go_on() says that it is enough.
#ifndef KEELBACK_FUZZ_CHOICES_H
#define KEELBACK_FUZZ_CHOICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t rnd(void);
uint32_t below(uint32_t n);                 // 0 to n - 1
static inline bool one_in(uint32_t n) { return below(n) == 0; }
void fill(void *out, size_t len);           // bytes that libFuzzer may choose
void noise(void *out, size_t len);          // random bytes of which it does not matter which they are
bool go_on(unsigned done, unsigned most);   // another step of a round?
void fuzz_where(void);                      // print what shows this round again
_Noreturn void fuzz_fail(const char *what);

// ---- of the harness ---------------------------------------------------------------------------------------------
void harness_start(void);                   // once
void harness_round(void);                   // leaves nothing behind that the next one notices
bool harness_end(unsigned rounds);          // of the program only: print a line. False: too little happened to prove anything

#endif
