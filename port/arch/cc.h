// What lwIP wants to know of the compiler.
#ifndef KEELBACK_ARCH_CC_H
#define KEELBACK_ARCH_CC_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

typedef uintptr_t sys_prot_t;        // lwIP declares functions of it, used or not

#define LWIP_NO_CTYPE_H 1
#define LWIP_NO_UNISTD_H 1
#define LWIP_PLATFORM_DIAG(x)
#define LWIP_PLATFORM_ASSERT(x)
#define PACK_STRUCT_STRUCT __attribute__((packed))

#endif
