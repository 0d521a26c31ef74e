// What of mbedTLS the secure processor of the emulator is made of: AES-GCM, SHA-384, HMAC, ECDSA with P-384.
//
// Source: mbedTLS 3.6, include/mbedtls/mbedtls_config.h. No SSE: AES is software's.
#ifndef KEELBACK_PSP_MBEDTLS_CONFIG_H
#define KEELBACK_PSP_MBEDTLS_CONFIG_H

#define MBEDTLS_HAVE_ASM                    // multiplication, in general registers
#define MBEDTLS_AES_C
#define MBEDTLS_AES_ROM_TABLES
#define MBEDTLS_GCM_C
#define MBEDTLS_MD_C
#define MBEDTLS_SHA384_C
#define MBEDTLS_SHA512_C
#define MBEDTLS_BIGNUM_C
#define MBEDTLS_NO_UDBL_DIVISION            // no __udivti3 of libgcc
#define MBEDTLS_ECP_C
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_ECP_DP_SECP384R1_ENABLED
#define MBEDTLS_ECDSA_C
#define MBEDTLS_ECDSA_DETERMINISTIC
#define MBEDTLS_HMAC_DRBG_C
#define MBEDTLS_ASN1_PARSE_C                // ECDSA wants both, for signatures that are not used here
#define MBEDTLS_ASN1_WRITE_C

#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C
#define MBEDTLS_PLATFORM_EXIT_MACRO psp_arena_damaged
#define MBEDTLS_PLATFORM_ZEROIZE_ALT

_Noreturn void psp_arena_damaged(int status);   // psp_crypto.c

#endif
