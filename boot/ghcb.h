// The page and the register through which an SEV-SNP guest speaks with its host.
#ifndef KEELBACK_BOOT_GHCB_H
#define KEELBACK_BOOT_GHCB_H

#include <stdbool.h>
#include <stdint.h>

#define MSR_GHCB 0xc0010130u

// Layout of the page: offsets of what is used here. Every field below 400h has a bit in the bitmap that says it is filled in.
enum {
    GHCB_CPL = 0xcb, GHCB_RAX = 0x1f8, GHCB_RCX = 0x308, GHCB_RDX = 0x310, GHCB_RBX = 0x318, GHCB_RSI = 0x330, GHCB_CODE = 0x390,
    GHCB_INFO1 = 0x398, GHCB_INFO2 = 0x3a0, GHCB_SCRATCH = 0x3a8, GHCB_XCR0 = 0x3e8, GHCB_BITMAP = 0x3f0, GHCB_BUFFER = 0x800,
    GHCB_BUFFER_LEN = 0x7f0, GHCB_VERSION = 0xffa, GHCB_USAGE = 0xffc, GHCB_LEN = 0x1000,
};

// Exit codes that are no intercepted instruction.
enum {
    EXIT_MMIO_READ = 0x80000001, EXIT_MMIO_WRITE = 0x80000002, EXIT_PAGE_STATE = 0x80000010, EXIT_AP_CREATE = 0x80000013,
    EXIT_TERMINATE = 0x8000fffe,
};

// The word of the MSR protocol: its low 12 bits say what it is.
enum {
    GHCBINFO_SEV = 0x001, GHCBINFO_SEV_REQ = 0x002, GHCBINFO_REGISTER_REQ = 0x012, GHCBINFO_REGISTER = 0x013, GHCBINFO_PSC_REQ = 0x014,
    GHCBINFO_PSC = 0x015, GHCBINFO_FEATURES_REQ = 0x080, GHCBINFO_FEATURES = 0x081, GHCBINFO_TERMINATE = 0x100, GHCBINFO_MASK = 0xfff,
};
enum { PAGE_PRIVATE = 1, PAGE_SHARED = 2 };     // operations of page state changes
enum { FEATURE_SNP = 1, FEATURE_AP_CREATE = 2 };

// Why we end: sets of reasons, and reasons. Set 1 is the one that Linux uses.
enum { END_GENERAL = 0, END_PROTOCOL = 1, END_FEATURES = 2 };
enum { END_SET_LINUX = 1, END_GHCB = 0, END_PAGE_STATE = 1, END_PVALIDATE = 2, END_VMPL = 3, END_CPUID = 4, END_SECRETS = 6 };

enum { HAS_RAX = 1, HAS_RBX = 2, HAS_RCX = 4, HAS_RDX = 8, HAS_SCRATCH = 16, HAS_XCR0 = 32, HAS_CPL = 64, HAS_RSI = 128, HAS_INFO = 256 };

// One exit: what goes in and comes out. `in` says which registers are filled in, `out` which of the first four came back;
// HAS_INFO: so did info1 and info2, and there was an exit.
typedef struct {
    uint64_t code, info1, info2;
    uint64_t rax, rbx, rcx, rdx, rsi, scratch, xcr0;
    uint16_t in, out;
    uint8_t cpl;
} ghcb_exit_t;

// What an answer amounts to. GHCB_EXCEPTION: the host asks for #GP or #UD, as the intercepted instruction would raise them.
// GHCB_VOID: it is none, or says that we asked something malformed.
typedef enum { GHCB_DONE, GHCB_EXCEPTION, GHCB_VOID } ghcb_verdict_t;

// ---- ghcb_page.c: bytes of the page, nothing of the machine ------------------------------------------------------
void ghcb_fill(volatile uint8_t *page, const ghcb_exit_t *x, uint16_t version);
void ghcb_take(volatile uint8_t *page, ghcb_exit_t *x);     // everything once, then nothing in the page is valid any more
ghcb_verdict_t ghcb_judge(const ghcb_exit_t *x, int *vector);

#define PSC_MAX 253                         // entries that the page's buffer holds
uint64_t psc_entry(uint64_t addr, bool large, int operation);
void psc_fill(volatile uint8_t *page, const uint64_t *entries, unsigned count);
// How far the host has come: what to do next. *at: the first entry that is not done, before and after.
typedef enum { PSC_DONE, PSC_AGAIN, PSC_REFUSED } psc_verdict_t;
psc_verdict_t psc_progress(volatile uint8_t *page, const ghcb_exit_t *x, unsigned count, unsigned *at);

// ---- ghcb.c: exchanges -----------------------------------------------------------------------------------------------
#define GHCB_COUNTS 0x134
#define VC_COUNTS 0x91
void ghcb_init(void);                       // make our page shared and known; ends the machine if that fails
// The page is used between these two only, with interrupts off. The second begin of two ends the machine.
uint64_t ghcb_begin(void);
void ghcb_end(uint64_t flags);
volatile uint8_t *ghcb_page(void);
ghcb_verdict_t ghcb_exchange(ghcb_exit_t *x, int *vector);  // between begin and end
ghcb_verdict_t ghcb_call(ghcb_exit_t *x, int *vector);      // begin, exchange, end
uint64_t ghcb_msr(uint64_t word);           // one exchange of the MSR protocol; the register is as before afterwards
// For any processor, with interrupts off: the page that it is going to use becomes known, and is used.
bool ghcb_register_here(uint64_t addr);
ghcb_verdict_t ghcb_exchange_on(volatile uint8_t *page, ghcb_exit_t *x, int *vector);
void ghcb_terminate(unsigned set, unsigned reason) __attribute__((noreturn));
void ghcb_abandon(void);                    // for a last report: whatever exchange was under way does not go on
void page_share_early(uint64_t addr);       // psc.c: by the MSR protocol; ends the machine if it fails

#endif
