// The made-up machine: memory, the RMP, printing and endings. The host is host.c.

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "machine.h"
#include "memory.h"

machine_t machine;
uint8_t *arena;
static uint8_t attr[ARENA_PAGES], rmp[ARENA_PAGES];
static bool small_leaf[ARENA_PAGES / 512], rmp_is_large[ARENA_PAGES / 512];
static uint8_t (*devices)[PAGE_SIZE];
static uint64_t flags = FLAGS_IF;
static jmp_buf end;

uint64_t sev_status_of_machine = 7, cr4_of_machine;
cpuid_t (*cpuid_of_machine)(uint32_t leaf, uint32_t subleaf);
boot_info_t boot_info;
EFI_SYSTEM_TABLE *ST;
EFI_BOOT_SERVICES *BS;
EFI_RUNTIME_SERVICES *RT;
char image_start[1], image_end[1];

static unsigned page_of(uint64_t addr) {
    uint64_t page = (addr - (uint64_t)arena) / PAGE_SIZE;
    return page < ARENA_PAGES ? page : ARENA_PAGES;
}

uint8_t *device_bytes(unsigned page) {
    return devices[page];
}

void page_set(unsigned page, int a) {
    bool read = a != 0 && !(a & MAP_UC);
    if (attr[page] != a) {
        memory_allow(arena + page * PAGE_SIZE, PAGE_SIZE, read, read && (a & MAP_W));
    }
    attr[page] = a;
}

int page_get(unsigned page) {
    return attr[page];
}

int rmp_get(unsigned page) {
    return rmp[page];
}

void rmp_put(unsigned page, int state) {
    rmp[page] = state;
}

void rmp_large(unsigned page, bool large) {
    rmp_is_large[page / 512] = large;
}

// ---- boot/paging.c ------------------------------------------------------------------------------------------------------------
int map_attr(uint64_t addr) {
    unsigned page = page_of(addr);
    return page == ARENA_PAGES || attr[page] == 0 ? -1 : attr[page];
}

bool map_check(uint64_t addr, uint64_t len, int a) {
    for (uint64_t at = addr; at < addr + len; at++) {
        if (page_of(at) != ARENA_PAGES && (map_attr(at) & a) != a) {
            return false;
        }
    }
    return true;                            // the rest is this program
}

uint64_t map_leaf(uint64_t addr, uint64_t *entry) {
    unsigned page = page_of(addr);
    if (map_attr(addr) < 0) {
        return 0;
    }
    bool large = !small_leaf[page / 512];
    *entry = large ? addr & ~0x1fffffull : addr & ~0xfffull;
    return large ? 0x200000 : PAGE_SIZE;
}

uint64_t map_physical(uint64_t entry, uint64_t size, uint64_t addr) {
    return (entry & ~(size - 1)) | (addr & (size - 1));
}

bool map_range(uint64_t addr, uint64_t len, int a) {
    for (uint64_t at = addr; at < addr + len; at += PAGE_SIZE) {
        unsigned page = page_of(at);
        if (page == ARENA_PAGES) {
            continue;
        }
        uint64_t large = at & ~0x1fffffull;
        small_leaf[page / 512] |= large < addr || large + 0x200000 > addr + len;
        page_set(page, a);
    }
    return true;
}

// ---- instructions -------------------------------------------------------------------------------------------------------------
int insn_pvalidate(uint64_t addr, uint32_t large, uint32_t validate, _Bool *carry) {
    unsigned first = page_of(addr), n = large ? 512 : 1;
    *carry = false;
    machine.pvalidates++;
    if (first == ARENA_PAGES) {
        return 0;                           // our own page, or another one of this program's
    }
    if ((addr & (large ? 0x1fffff : 0xfff)) != 0 || (attr[first] & (MAP_SHARED | MAP_UC)) || attr[first] == 0 || (large && small_leaf[first / 512])) {
        abort();                            // that is our fault
    }
    if (large && !rmp_is_large[first / 512]) {
        return 6;
    }
    *carry = true;
    for (unsigned i = first; i < first + n; i++) {
        if (rmp[i] == R_SHARED) {
            longjmp(end, BROKEN);           // the host has not done what it said; it never goes on
        }
        *carry &= (rmp[i] == R_VALIDATED) == validate;
        rmp[i] = validate ? R_VALIDATED : R_PRIVATE;
    }
    rmp_is_large[first / 512] &= large;
    return 0;
}

int insn_rmpadjust(uint64_t addr, uint64_t large, uint64_t attributes) {
    return machine.refuse_psc ? 2 : 0;
}

uint64_t read_flags(void) { return flags; }
void cli(void) { flags = 0; }
void sti(void) { flags = FLAGS_IF; }
void cpu_hlt(void) { longjmp(end, TERMINATED); }
void write_cr2(uint64_t v) { machine.cr2 = v; }
uint64_t read_cr2(void) { return machine.cr2; }
uint64_t read_xcr0(void) { return 7; }
uint64_t read_cr4(void) { return cr4_of_machine; }

cpuid_t cpuid_insn(uint32_t leaf, uint32_t subleaf) {
    return cpuid_of_machine != NULL ? cpuid_of_machine(leaf, subleaf) : (cpuid_t) { 0x8000001f, 51, 0, 0 };
}

// ---- printing, and the end ------------------------------------------------------------------------------------------------------
static void say(const char *fmt, va_list ap) {
    size_t n = strlen(machine.text);
    vsnprintf(machine.text + n, sizeof(machine.text) - n, fmt, ap);
}

void console_printf(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

void console_puts(const char *s) {
    console_printf("%s", s);
}

void host_broke(const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    longjmp(end, BROKEN);
}

void vc_report(const trap_frame_t *f, const char *why) {
    console_printf("%s", why);
    longjmp(end, REPORT);
}

void trap_exception(trap_frame_t *f) {
    machine.vector = f->vector;
    machine.error = f->error;
    longjmp(end, EXCEPTION);
}

void machine_power(int kind) {
    longjmp(end, POWERED_OFF);
}

const char *machine_text(void) {
    return machine.text;
}

// ---- calls ------------------------------------------------------------------------------------------------------------------------
// Whatever state the last end left behind in static variables of vc.c and ghcb.c is gone with a new copy of the library, or here.
void machine_start(void) {
    if (arena == NULL) {
        arena = memory_make(ARENA_PAGES * PAGE_SIZE, 0x200000);
        devices = (uint8_t (*)[PAGE_SIZE])memory_make(ARENA_PAGES * PAGE_SIZE, PAGE_SIZE);
        memset(attr, MAP_R | MAP_W, sizeof(attr));
    }
    memset(&machine, 0, sizeof(machine));
    for (unsigned i = 0; i < ARENA_PAGES; i++) {
        page_set(i, MAP_R | MAP_W);
        rmp[i] = R_VALIDATED;
    }
    memory_clear(arena, ARENA_PAGES * PAGE_SIZE);
    memory_clear((uint8_t *)devices, ARENA_PAGES * PAGE_SIZE);
    memset(small_leaf, 0, sizeof(small_leaf));
    memset(rmp_is_large, 1, sizeof(rmp_is_large));
    flags = FLAGS_IF;
    c_mask = 1ull << 51;
    sev_status = 7;
    snp_guest = true;
    ghcb_abandon();
    vc_reset();
    ghcb_live = false;
    if (machine_init() != OK) {
        abort();
    }
    machine.exits = machine.msr_exits = 0;
    flags = 0;                              // as in an exception's handler
}

// Calls nest: a #VC may come in the middle of an exchange of another one.
#define ENDING(what) \
    jmp_buf outer; \
    memcpy(&outer, &end, sizeof(end)); \
    int how = setjmp(end); \
    if (how == OK) { \
        what; \
    } \
    memcpy(&end, &outer, sizeof(end)); \
    return how

int machine_vc(trap_frame_t *f) {
    ENDING(vc_handle(f));
}

int machine_call(int (*f)(uint64_t, uint64_t), uint64_t a, uint64_t b, int *result) {
    ENDING(*result = f(a, b));
}

static void detect(void) {
    snp_guest = ghcb_live = false;
    sev_status = c_mask = 0;
    sev_detect();
}

int machine_detect(void) {
    ENDING(detect());
}

int machine_init(void) {
    ENDING(ghcb_init());
}
