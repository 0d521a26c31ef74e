// Random numbers of key grade: RDSEED or RDRAND mixed with the firmware's EFI_RNG, expanded by ChaCha20 with
// fast key erasure. Without a source there are no numbers: entropy_get() says so and gives none.
// Source: RFC 8439, 2.3 (ChaCha20 block); D. J. Bernstein, "Fast-key-erasure random-number generators" (2017);
// AMD64 APM volume 3 (RDRAND, RDSEED); UEFI 2.10, 37.5 (EFI_RNG_PROTOCOL).

#include "internal.h"
#include "io.h"

#define KEY_WORDS 8
#define HW_TRIES 64
#define CPUID1_ECX_RDRAND (1u << 30)
#define CPUID7_EBX_RDSEED (1u << 18)

static uint32_t key[KEY_WORDS];
static bool have_rdrand, have_rdseed, have_efi;

static uint32_t rotl(uint32_t x, int n) {
    return x << n | x >> (32 - n);
}

static void quarter(uint32_t *s, int a, int b, int c, int d) {
    s[a] += s[b]; s[d] = rotl(s[d] ^ s[a], 16);
    s[c] += s[d]; s[b] = rotl(s[b] ^ s[c], 12);
    s[a] += s[b]; s[d] = rotl(s[d] ^ s[a], 8);
    s[c] += s[d]; s[b] = rotl(s[b] ^ s[c], 7);
}

void chacha20_block(uint32_t out[16], const uint32_t k[8], uint32_t counter, const uint32_t nonce[3]) {
    uint32_t s[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }, w[16];
    __builtin_memcpy(s + 4, k, 32);
    s[12] = counter;
    __builtin_memcpy(s + 13, nonce, 12);
    __builtin_memcpy(w, s, sizeof(s));
    for (int i = 0; i < 10; i++) {
        quarter(w, 0, 4, 8, 12);
        quarter(w, 1, 5, 9, 13);
        quarter(w, 2, 6, 10, 14);
        quarter(w, 3, 7, 11, 15);
        quarter(w, 0, 5, 10, 15);
        quarter(w, 1, 6, 11, 12);
        quarter(w, 2, 7, 8, 13);
        quarter(w, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++) {
        out[i] = w[i] + s[i];
    }
}

static bool hw_random(uint64_t *v, bool seed) {
    for (int i = 0; i < HW_TRIES; i++) {
        uint8_t ok;
        if (seed) {
            __asm__ volatile ("rdseed %0; setc %1" : "=r" (*v), "=qm" (ok) : : "cc");
        } else {
            __asm__ volatile ("rdrand %0; setc %1" : "=r" (*v), "=qm" (ok) : : "cc");
        }
        if (ok) {
            return true;
        }
        cpu_pause();
    }
    return false;
}

// Some processors answered every request with the same word after a suspend: such a source is none.
static bool hw_works(bool seed) {
    uint64_t a, b, c;
    return hw_random(&a, seed) && hw_random(&b, seed) && hw_random(&c, seed) && !(a == b && b == c);
}

static void mix_hardware(void) {
    for (int i = 0; i < KEY_WORDS; i += 2) {
        uint64_t v = 0;
        if ((have_rdseed && hw_random(&v, true)) || (have_rdrand && hw_random(&v, false))) {
            key[i] ^= v;
            key[i + 1] ^= v >> 32;
        }
    }
}

static bool firmware_random(uint8_t *buf, size_t len) {
    static EFI_GUID guid = { 0x3152bca5, 0xeade, 0x433d, { 0x86, 0x2e, 0xc0, 0x1c, 0xdc, 0x29, 0x1f, 0x44 } };
    struct rng {
        void *get_info;
        EFI_STATUS (EFIAPI *get)(struct rng *self, EFI_GUID *algorithm, UINTN len, uint8_t *out);
    } *rng;
    return BS->LocateProtocol(&guid, NULL, (void **)&rng) == EFI_SUCCESS && rng->get(rng, NULL, len, buf) == EFI_SUCCESS;
}

void entropy_init(void) {
    have_rdrand = (cpuid(1, 0).ecx & CPUID1_ECX_RDRAND) && hw_works(false);
    have_rdseed = cpuid(0, 0).eax >= 7 && (cpuid(7, 0).ebx & CPUID7_EBX_RDSEED) && hw_works(true);
    have_efi = firmware_random((uint8_t *)key, sizeof(key));
    mix_hardware();
}

// The firmware of an SEV-SNP guest may have its numbers from the host.
const char *entropy_source(void) {
    if (have_rdseed) {
        return have_efi ? "rdseed+efi" : "rdseed";
    }
    if (have_rdrand) {
        return have_efi ? "rdrand+efi" : "rdrand";
    }
    return have_efi && !snp_guest ? "efi" : NULL;
}

// Each call mixes fresh hardware words in; the first half of every first block becomes the next key.
bool entropy_get(void *buf, size_t len) {
    static const uint32_t nonce[3] = { 0 };
    uint32_t block[16], next[KEY_WORDS];
    uint8_t *out = buf;
    if (entropy_source() == NULL) {
        return false;
    }
    mix_hardware();
    chacha20_block(block, key, 0, nonce);
    __builtin_memcpy(next, block, sizeof(next));
    size_t have = 32, counter = 1;          // bytes left at the end of the block
    while (len > 0) {
        if (have == 0) {
            chacha20_block(block, key, counter++, nonce);
            have = 64;
        }
        size_t n = len < have ? len : have;
        __builtin_memcpy(out, (uint8_t *)block + 64 - have, n);
        out += n;
        len -= n;
        have -= n;
    }
    __builtin_memcpy(key, next, sizeof(key));
    __builtin_memset(block, 0, sizeof(block));
    __builtin_memset(next, 0, sizeof(next));
    barrier();
    return true;
}
