// Is this an SEV-SNP guest? What the firmware hands over to one is found, checked and copied, while the firmware's #VC handler
// still serves us; a guest that we could not run safely ends here.
// Source: AMD64 APM volume 2, 15.34.10 (SEV_STATUS), 15.36 (SEV-SNP); volume 3, E.4.17 (CPUID 8000_001F);
// OVMF, ConfidentialComputingSevSnpBlob.h (the table among the firmware's configuration tables), SevMemoryAcceptance.h.
//
// The host may say what it wants to CPUID, but it forges neither SEV_STATUS nor the page of CPUID answers, which the secure
// processor checked, nor does firmware that was measured lie about where that page is.

#include "internal.h"
#include "io.h"

#define MSR_SEV_STATUS 0xc0010131u
#define CPUID_SEV 0x8000001fu
#define CPUID_EAX_SEV (1u << 1)
#define STATUS_SEV 1u
#define STATUS_ES 2u
#define STATUS_SNP 4u
// What needs nothing of us, or what we do: debug registers swapped by hardware, no sampling by the host, isolated branch
// predictors, Secure TSC, virtual IBS, no other guest on our core, predictors flushed on entry.
#define STATUS_KNOWN (STATUS_SEV | STATUS_ES | STATUS_SNP | 1u << 7 | 1u << 8 | 1u << 9 | STATUS_SECURE_TSC | 1u << 14 | 1u << 17 | 1u << 23)

#define BLOB_MAGIC 0x45444d41u              // "AMDE"
typedef struct {
    uint32_t magic;
    uint16_t version, reserved0;
    uint64_t secrets;
    uint32_t secrets_len, reserved1;
    uint64_t cpuid;
    uint32_t cpuid_len, reserved2;
} cc_blob_t;
_Static_assert(sizeof(cc_blob_t) == 0x28, "OVMF's CONFIDENTIAL_COMPUTING_SNP_BLOB_LOCATION");

uint64_t sev_status, c_mask, sev_secrets;
bool snp_guest;
unsigned sev_c_bit;
static cpuid_page_t answers;                // our copy of the CPUID page

// One line, and the end; only a guest that the host cannot look into can tell it so.
static void refuse(const char *why, uint64_t what, unsigned set, unsigned reason) {
    console_printf("error: SEV: %s", why);
    if (what != 0) {
        console_printf(" (0x%lx)", what);
    }
    console_puts("\n");
    if (sev_status & STATUS_ES) {
        ghcb_terminate(set, reason);
    }
    machine_power(POWER_HALT);
}

static uint64_t read_status(void) {
    if (cpuid_insn(0x80000000, 0).eax < CPUID_SEV || !(cpuid_insn(CPUID_SEV, 0).eax & CPUID_EAX_SEV)) {
        return 0;
    }
    return rdmsr(MSR_SEV_STATUS);
}

static bool page_at(uint64_t addr, uint64_t len) {
    return addr != 0 && (addr & (PAGE_SIZE - 1)) == 0 && map_check(addr, len, MAP_R);
}

// The firmware's table: where the pages are that the secure processor wrote.
static void take_pages(void) {
    const cc_blob_t *blob = (const cc_blob_t *)boot_info.cc_blob;
    if (!map_check((uint64_t)blob, sizeof(*blob), MAP_R) || blob->magic != BLOB_MAGIC || blob->version != 1) {
        refuse("the firmware's table of secrets and CPUID is none", 0, 0, END_FEATURES);
    }
    if (blob->secrets_len != PAGE_SIZE || !page_at(blob->secrets, PAGE_SIZE)) {
        refuse("no secrets page", blob->secrets, END_SET_LINUX, END_SECRETS);
    }
    if (blob->cpuid_len < PAGE_SIZE || !page_at(blob->cpuid, PAGE_SIZE)) {
        refuse("no CPUID page", blob->cpuid, END_SET_LINUX, END_CPUID);
    }
    sev_secrets = blob->secrets;
    __builtin_memcpy(&answers, (const void *)blob->cpuid, sizeof(answers));
    if (!cpuid_page_valid(&answers)) {
        refuse("no table in the CPUID page", 0, END_SET_LINUX, END_CPUID);
    }
}

static void find_c_bit(void) {
    cpuid_t c = cpuid(CPUID_SEV, 0);
    sev_c_bit = c.ebx & 63;
    if (!(c.eax & CPUID_EAX_SEV) || sev_c_bit < 32 || sev_c_bit > 51) {
        refuse("no C-bit in the CPUID page", sev_c_bit, END_SET_LINUX, END_CPUID);
    }
    c_mask = 1ull << sev_c_bit;
}

// Only VMPL 0 may validate pages; below an SVSM we would have to ask it. Permissions of VMPL 1 on a page of ours, which are
// none anyway, show it.
static void check_vmpl(void) {
    static uint8_t page[PAGE_SIZE] __attribute__((aligned(4096)));
    if (rmpadjust((uint64_t)page, false, 1) != 0) {
        refuse("this is not VMPL 0", 0, END_SET_LINUX, END_VMPL);
    }
}

void sev_detect(void) {
    sev_status = read_status();
    bool snp = sev_status & STATUS_SNP;
    if (snp != (boot_info.cc_blob != 0)) {
        refuse(snp ? "the firmware has no table of secrets and CPUID" : "secrets, but no SEV-SNP", sev_status, 0, END_FEATURES);
    }
    if (sev_status != 0 && !snp) {
        refuse("without SNP it is not supported", sev_status, 0, END_FEATURES);
    }
    if (sev_status & ~(uint64_t)STATUS_KNOWN) {
        refuse("features that are not supported", sev_status & ~(uint64_t)STATUS_KNOWN, 0, END_FEATURES);
    }
    if (!snp) {
        return;
    }
    take_pages();
    snp_guest = true;
    find_c_bit();
    check_vmpl();
}

// The firmware validates what memory is left when it exits, 2 MiB for each exit, unless told that we do it when we need it.
void sev_keep_unaccepted(void) {
    static EFI_GUID guid = { 0xc5a010fe, 0x38a7, 0x4531, { 0x8a, 0x4a, 0x05, 0x00, 0xd2, 0xfd, 0x16, 0x49 } };
    struct acceptance {
        EFI_STATUS (EFIAPI *allow_unaccepted)(struct acceptance *self);
    } *protocol;
    if (snp_guest && BS->LocateProtocol(&guid, NULL, (void **)&protocol) == EFI_SUCCESS) {
        protocol->allow_unaccepted(protocol);
    }
}

// ---- CPUID -------------------------------------------------------------------------------------------------------------------
// Numbers of this processor. Before our own page is in force the firmware's handler asks the host.
static cpuid_t cpuid_of_host(uint32_t leaf, uint32_t subleaf) {
    if (!ghcb_live) {
        return cpuid_insn(leaf, subleaf);
    }
    int vector;
    ghcb_exit_t x = { .code = EXIT_CPUID, .rax = leaf, .rcx = subleaf, .xcr0 = 1, .in = HAS_RAX | HAS_RCX | HAS_XCR0 };
    if (ghcb_call(&x, &vector) != GHCB_DONE || (x.out & (HAS_RAX | HAS_RBX | HAS_RCX | HAS_RDX)) != (HAS_RAX | HAS_RBX | HAS_RCX | HAS_RDX)) {
        host_broke("the host does not answer CPUID %x", leaf);
    }
    return (cpuid_t) { x.rax, x.rbx, x.rcx, x.rdx };
}

cpuid_t cpuid_checked(uint32_t leaf, uint32_t subleaf) {
    uint64_t cr4 = read_cr4();
    cpuid_env_t env = { .cr4 = cr4, .xcr0 = cr4 & CR4_OSXSAVE ? read_xcr0() : 1, .xss = 0, .host = cpuid_of_host };
    cpuid_t out;
    if (!cpuid_page_get(&answers, leaf, subleaf, &env, &out)) {
        host_broke("the CPUID page contradicts itself at leaf %x", leaf);
    }
    return out;
}
