// An SEV-SNP guest that breaks the rules that its load options name, in their order, after it has taken over as a guest does: own page tables
// with the C-bit, own #VC handler, a registered GHCB. It is what the emulator is judged by: test_violations.py.
// It never exits boot services, and calls the firmware no more once it has taken over.

#include <efi.h>
#include <stdint.h>

#define C (1ull << 47)
#define PAGE 4096ull
#define GHCB_MSR 0xc0010130

static EFI_BOOT_SERVICES *BS;
static volatile uint8_t *ghcb;
static volatile uint64_t vc_code, vc_count;
static uint64_t *tables;                // PML4, PDPT, 4 PDs, then page tables of the first 2 MiB that are split
static volatile uint8_t *scratch;       // pages of RAM, on a 2 MiB page of their own

static inline uint64_t rdmsr(uint32_t m) { uint32_t a, d; __asm__ volatile ("rdmsr" : "=a" (a), "=d" (d) : "c" (m)); return (uint64_t)d << 32 | a; }
static inline void wrmsr(uint32_t m, uint64_t v) { __asm__ volatile ("wrmsr" : : "c" (m), "a" ((uint32_t)v), "d" ((uint32_t)(v >> 32)) : "memory"); }
static inline void vmgexit(void) { __asm__ volatile ("rep; vmmcall" : : : "memory"); }

static uint64_t protocol(uint64_t word) {
    uint64_t before = rdmsr(GHCB_MSR);
    wrmsr(GHCB_MSR, word);
    vmgexit();
    uint64_t answer = rdmsr(GHCB_MSR);
    wrmsr(GHCB_MSR, before);
    return answer;
}

static uint32_t pvalidate(volatile void *page, uint32_t validate, uint8_t *carry) {
    uint32_t code;
    __asm__ volatile (".byte 0xf2, 0x0f, 0x01, 0xff; setc %1" : "=a" (code), "=q" (*carry) : "a" (page), "c" (0), "d" (validate) : "memory", "cc");
    return code;
}

static uint32_t rmpadjust(volatile void *page, uint64_t attributes) {
    uint64_t code = (uint64_t)page;
    __asm__ volatile (".byte 0xf3, 0x0f, 0x01, 0xfe" : "+a" (code) : "c" (0ull), "d" (attributes) : "memory", "cc");
    return code;
}

static void put(int offset, uint64_t value) {
    *(volatile uint64_t *)(ghcb + offset) = value;
    ghcb[0x3f0 + offset / 64] |= 1 << (offset / 8 % 8);
}

// One event. -> EXITINFO1; info2: out too.
static uint64_t exchange(uint64_t code, uint64_t info1, uint64_t *info2, uint64_t rax) {
    for (int i = 0; i < 0x800; i++) {
        ghcb[i] = 0;
    }
    put(0x390, code);
    put(0x398, info1);
    put(0x3a0, *info2);
    put(0x1f8, rax);
    put(0x3a8, (uint64_t)ghcb + 0x800);
    *(volatile uint16_t *)(ghcb + 0xffa) = 2;
    wrmsr(GHCB_MSR, (uint64_t)ghcb);
    vmgexit();
    *info2 = *(volatile uint64_t *)(ghcb + 0x3a0);
    return *(volatile uint64_t *)(ghcb + 0x398);
}

static void text(const char *s) {       // to the debug console, through the GHCB
    for (; *s != 0; s++) {
        uint64_t info2 = 0;
        exchange(0x7b, 0x402ull << 16 | 0x210, &info2, (uint8_t)*s);
    }
}

// The handler passes over one instruction, whose length is in vc_length.
static volatile uint64_t vc_length;
__asm__ (
    "vc_entry:\n"
    " push %rax\n mov 8(%rsp), %rax\n mov %rax, vc_code(%rip)\n incq vc_count(%rip)\n"
    " mov vc_length(%rip), %rax\n add %rax, 16(%rsp)\n pop %rax\n add $8, %rsp\n iretq\n");
extern char vc_entry[];

static uint64_t idt[64] __attribute__((aligned(16)));

static void take_over_traps(void) {
    uint64_t at = (uint64_t)vc_entry;
    uint16_t cs;
    __asm__ volatile ("mov %%cs, %0" : "=r" (cs));
    idt[58] = (at & 0xffff) | (uint64_t)cs << 16 | 0x8e00ull << 32 | (at >> 16 & 0xffff) << 48;
    idt[59] = at >> 32;
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) idtr = { sizeof(idt) - 1, (uint64_t)idt };
    __asm__ volatile ("cli; lidt %0" : : "m" (idtr));
}

static uint64_t *entry_of(volatile void *at) {
    uint64_t addr = (uint64_t)at;
    return &tables[512 * 6 + (addr >> 12 & 511)];
}

static void flush(void) {
    uint64_t cr3;
    __asm__ volatile ("mov %%cr3, %0; mov %0, %%cr3" : "=r" (cr3) : : "memory");
}

// Four GiB in pages of 2 MiB; the one that scratch lies in is split. C below 2 GiB, where RAM is.
static void take_over_memory(void) {
    tables[0] = (uint64_t)&tables[512] | C | 3;
    for (int g = 0; g < 4; g++) {
        tables[512 + g] = (uint64_t)&tables[512 * (2 + g)] | C | 3;
        for (int i = 0; i < 512; i++) {
            tables[512 * (2 + g) + i] = ((uint64_t)g << 30 | (uint64_t)i << 21) | 0x83 | (g < 2 ? C : 0);
        }
    }
    uint64_t at = (uint64_t)scratch;
    for (int i = 0; i < 512; i++) {
        tables[512 * 6 + i] = (at & ~0x1fffffull) | (uint64_t)i << 12 | 3 | C;
    }
    tables[512 * (2 + (at >> 30)) + (at >> 21 & 511)] = (uint64_t)&tables[512 * 6] | C | 3;
    __asm__ volatile ("mov %0, %%cr3" : : "r" ((uint64_t)tables | C) : "memory");
}

static void clear(volatile uint64_t *at, int pages) {
    for (int i = 0; i < pages * 512; i++) {
        at[i] = 0;
    }
}

static int share(volatile uint8_t *page) {
    uint8_t carry;
    if (pvalidate(page, 0, &carry) != 0 || carry || protocol((uint64_t)page | 2ull << 52 | 0x014) >> 32 != 0) {
        return 0;
    }
    *entry_of(page) &= ~C;
    flush();
    clear((volatile uint64_t *)page, 1);
    return 1;
}

// Is the word at *a, up to a space or the end, b? It is then passed over.
static int same(const CHAR16 **a, const char *b) {
    const CHAR16 *at = *a;
    while (*b != 0 && *at == (CHAR16)*b) {
        at++;
        b++;
    }
    if (*b != 0 || (*at != 0 && *at != ' ')) {
        return 0;
    }
    *a = *at == ' ' ? at + 1 : at;
    return 1;
}

// ---- the offences ------------------------------------------------------------------------------------------------------
static volatile uint8_t *page, *other;
static uint64_t emulator;               // an address in its memory

static void read_shared_as_private(void) {
    share(page);
    *entry_of(page) |= C;
    flush();
    (void)page[0];
}

static void write_private_as_shared(void) {
    *entry_of(page) &= ~C;
    flush();
    page[0] = 1;
}

static void read_unvalidated(void) {
    uint8_t carry;
    pvalidate(page, 0, &carry);
    vc_length = 3;
    __asm__ volatile ("movzbl (%0), %%eax" : : "r" (page) : "eax");
    text(vc_code == 0x404 ? "#VC 404\n" : "no #VC\n");
}

static void pvalidate_shared(void) {
    uint8_t carry;
    share(page);
    pvalidate(page, 1, &carry);
}

static void validate_twice(void) {
    uint8_t carry;
    uint32_t code = pvalidate(page, 1, &carry);
    text(code == 0 && carry ? "CF says so\n" : "CF is wrong\n");
}

static void ghcb_private(void) {
    protocol((uint64_t)page | 0x012);
    wrmsr(GHCB_MSR, (uint64_t)page);
    vmgexit();
}

static void ghcb_unregistered(void) {
    share(page);
    wrmsr(GHCB_MSR, (uint64_t)page);
    vmgexit();
}

static void request_private(void) {
    uint64_t info2 = (uint64_t)other;
    share(page);
    exchange(0x80000011, (uint64_t)page, &info2, 0);
}

static void no_handler(void) {
    struct { uint16_t limit; uint64_t base; } __attribute__((packed)) idtr = { 0, (uint64_t)idt };
    __asm__ volatile ("lidt %0; cpuid" : : "m" (idtr) : "eax", "ebx", "ecx", "edx");
}

static void read_emulator(void) {
    (void)*(volatile uint8_t *)emulator;
}

static void share_emulator(void) {
    text(protocol(emulator | 2ull << 52 | 0x014) >> 32 != 0 ? "refused\n" : "shared\n");
}

static void write_vmsa(void) {
    uint32_t refused = rmpadjust(page, 0), done = rmpadjust(page, 0x10001);
    text(refused == 2 && done == 0 && page[0] == 0 ? "RMPADJUST as documented\n" : "RMPADJUST is wrong\n");
    page[0] = 1;
}

static void seen(const char *name, uint64_t code) {
    text(vc_code == code ? name : "wrong");
    text("\n");
}

static void instructions(void) {
    uint64_t value;
    vc_length = 2;
    __asm__ volatile ("cpuid" : : "a" (0) : "ebx", "ecx", "edx");
    seen("cpuid", 0x72);
    __asm__ volatile ("rdmsr" : : "c" (0x1b) : "eax", "edx");
    seen("rdmsr", 0x7c);
    __asm__ volatile ("wbinvd" : : : "memory");
    seen("wbinvd", 0x89);
    vc_length = 1;
    __asm__ volatile ("inb %%dx" : : "d" (0x3fd) : "eax");
    seen("in", 0x7b);
    vc_length = 3;
    __asm__ volatile ("mov %%dr7, %0" : "=r" (value));
    seen("dr7", 0x27);
    __asm__ volatile ("vmmcall" : : "a" (5));
    seen("vmmcall", 0x81);
    __asm__ volatile ("movzbl (%0), %%eax" : : "r" (0xfee00020ull) : "eax");
    seen("mmio", 0x400);
}

static void bad_usage(void) {
    uint64_t info2 = 0;
    exchange(0x12345, 0, &info2, 0);
    text(info2 == 6 ? "unknown event\n" : "event?\n");
    info2 = 3;                          // bytes of MMIO
    exchange(0x80000001, 0xfee00020, &info2, 0);
    text(info2 == 5 ? "bad value\n" : "value?\n");
    info2 = (uint64_t)page;
    exchange(0x80000011, (uint64_t)page, &info2, 0);
    text(info2 == 5 ? "one page for both\n" : "pages?\n");
}

static void end_itself(void) {
    protocol(0x05 << 16 | 0x1 << 12 | 0x100);
}

static const struct { const char *name; void (*commit)(void); } offences[] = {
    { "read-shared-as-private", read_shared_as_private }, { "write-private-as-shared", write_private_as_shared },
    { "read-unvalidated", read_unvalidated }, { "pvalidate-shared", pvalidate_shared }, { "validate-twice", validate_twice },
    { "ghcb-private", ghcb_private }, { "ghcb-unregistered", ghcb_unregistered }, { "request-private", request_private },
    { "no-handler", no_handler }, { "read-emulator", read_emulator }, { "share-emulator", share_emulator }, { "write-vmsa", write_vmsa },
    { "instructions", instructions }, { "bad-usage", bad_usage }, { "end-itself", end_itself },
};

// The largest piece of reserved memory is the emulator's own.
static void find_emulator(void) {
    static uint8_t map[16384];
    UINTN len = sizeof(map), key, step;
    UINT32 version;
    uint64_t most = 0;
    BS->GetMemoryMap(&len, (EFI_MEMORY_DESCRIPTOR *)map, &key, &step, &version);
    for (UINTN i = 0; i < len; i += step) {
        EFI_MEMORY_DESCRIPTOR *d = (EFI_MEMORY_DESCRIPTOR *)(map + i);
        if (d->Type == EfiReservedMemoryType && d->PhysicalStart < 0x40000000 && d->NumberOfPages > most) {
            most = d->NumberOfPages;
            emulator = d->PhysicalStart;
        }
    }
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st) {
    EFI_LOADED_IMAGE *self;
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    EFI_PHYSICAL_ADDRESS at = 0x3fffffff, data = 0x3fffffff;
    BS = st->BootServices;
    BS->HandleProtocol(image, &guid, (void **)&self);
    BS->AllocatePages(AllocateMaxAddress, EfiLoaderData, 7, &at);
    BS->AllocatePages(AllocateMaxAddress, EfiLoaderData, 1024, &data);
    tables = (uint64_t *)at;
    clear(tables, 7);
    scratch = (volatile uint8_t *)((data + 0x1fffff) & ~0x1fffffull);
    clear((void *)scratch, 64);
    page = scratch + PAGE;
    other = scratch + 2 * PAGE;
    find_emulator();
    take_over_traps();
    take_over_memory();
    ghcb = scratch;
    protocol((uint64_t)ghcb | 0x012);
    if (!share(ghcb)) {
        for (;;) {
            __asm__ volatile ("cli; hlt");
        }
    }
    const CHAR16 *words = self->LoadOptions;
    for (unsigned i = 0; *words != 0 && i < sizeof(offences) / sizeof(offences[0]); i++) {
        if (same(&words, offences[i].name)) {
            text(offences[i].name);
            text(":\n");
            offences[i].commit();
            text("the guest goes on\n");
            i = -1;
            page += 2 * PAGE;           // another offence, other pages
            other += 2 * PAGE;
        }
    }
    protocol(0x100);
    return EFI_SUCCESS;
}
