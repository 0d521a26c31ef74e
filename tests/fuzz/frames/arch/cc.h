// port/arch/cc.h for the fuzzer: lwIP's own assertions end the program.
#ifndef KEELBACK_FUZZ_CC_H
#define KEELBACK_FUZZ_CC_H

#include_next "arch/cc.h"

void fuzz_assert(const char *what);
#undef LWIP_PLATFORM_ASSERT
#define LWIP_PLATFORM_ASSERT(x) fuzz_assert(x)

#endif
