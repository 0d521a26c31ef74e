// port/lwipopts.h for the fuzzer, with lwIP's assertions.
#ifndef KEELBACK_FUZZ_LWIPOPTS_H
#define KEELBACK_FUZZ_LWIPOPTS_H

#include_next "lwipopts.h"
#undef LWIP_NOASSERT

#endif
