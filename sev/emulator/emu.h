// The emulator's own declarations, grouped by the file that implements them. Everything runs in host mode of SVM, with the
// global interrupt flag clear, but for entry.c and options.c, which are a UEFI application.
// Source: AMD64 APM volume 2 (24593), chapter 15 and appendix B (VMCB); GHCB specification (56421); ../../docs/emulator.md.
#ifndef SNPEMU_EMU_H
#define SNPEMU_EMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ul
#define PAGE_MASK (PAGE_SIZE - 1)
#define C_BIT 47
#define C_MASK (1ul << C_BIT)
#define GPA_MASK (C_MASK - 1)
#define VCPUS_MAX 16

typedef struct { uint64_t start, end; } range_t;

// What the user asked for: options.c.
typedef struct {
    char target[256];           // path of the executable on the volume
    char args[1024];            // its load options
    uint64_t unaccepted;        // bytes at the top of memory that the firmware leaves unaccepted
    uint64_t split;             // bytes for private content apart from shared; 0: they are the same memory
    uint64_t psc_chunk;         // entries of a page state change that the host takes at a time; 0: all
    bool rdtsc;                 // intercept RDTSC and RDTSCP
    bool log_serial;            // the log goes to COM1 too
    bool notes;                 // log more than violations
    char end[8];                // off, reset, halt: what becomes of the machine when the guest is ended
    char fault[64];             // a fault on request: fault.c
    char product[8], certs[16]; // launch.c, of the secure processor: psp.h says what these are
    char measurement[97], host_data[65];
    uint64_t report, policy, guest_svn, used;
    bool vlek, mask_chip;
} options_t;

// What entry.c collects while boot services are there.
typedef struct {
    options_t options;
    range_t ram[2];             // below and above 4 GiB; what lies outside is device registers
    range_t host;               // our own memory, reserved
    uint64_t secrets, cpuid, firmware_ghcb, trampoline;
    range_t unaccepted, split;
    uint64_t pm1a_cnt;          // port that turns the machine off, 0: none
    uint8_t measurement[48];    // of the target's file
    uint8_t apic_ids[VCPUS_MAX];
    unsigned vcpu_count;
} setup_t;

// ---- host.S ------------------------------------------------------------------------------------------
#define RECENT 4
typedef struct { uint64_t code, rip; } recent_t;
typedef struct vcpu {
    uint64_t gpr[16];           // in the order of their encoding; RAX and RSP are copies of the VMCB's
    uint64_t vmcb_pa;           // 128: host.S knows these offsets
    uint64_t stack_top;         // 136
    uint8_t *vmcb;
    unsigned apic_id;
    volatile uint32_t state;    // ap.c
    bool own_idt;               // the guest has its own handlers: exits are reflected
    bool flat;                  // paging is off
    bool flush;                 // of the TLB, before the guest goes on
    uint64_t ghcb_msr;          // C001_0130
    uint64_t ghcb_registered;   // GPA, or all ones
    uint64_t vmsa;              // GPA of the VMSA that an AP runs, 0: none
    uint64_t hsave;
    uint64_t exits;             // counted for the log
    uint64_t vc_count;          // #VCs delivered
    recent_t recent[RECENT];    // the last of them
} vcpu_t;
void svm_run(vcpu_t *v);
void svm_launch(vcpu_t *v, void (*entry)(vcpu_t *));    // returns in the guest
bool safe_rdmsr(uint32_t msr, uint64_t *value);         // false: #GP
bool safe_wrmsr(uint32_t msr, uint64_t value);
void host_tables(uint64_t cr3);                         // our own page tables, GDT and IDT from now on
extern char trampoline_start[], trampoline_end[], trampoline_arg[];

// ---- machine.c -----------------------------------------------------------------------------------------
typedef struct {
    setup_t *setup;
    options_t *options;
    bool strict;                // the guest has its own page tables: the two views of memory are in force
    uint64_t firmware_cr3, firmware_idt;
    vcpu_t *vcpus;
    unsigned vcpu_count;
    bool split;                 // private content lies elsewhere than shared
    uint64_t host_cr3;
    uint64_t faults_done;
} machine_t;
extern machine_t machine;
const char *machine_init(setup_t *setup, vcpu_t **first, void (**entry)(vcpu_t *));
void vcpu_init(vcpu_t *v);
void vcpu_run(vcpu_t *v);
void vcpu_loop(vcpu_t *v) __attribute__((noreturn));
void *host_pages(unsigned count);                       // zeroed; there is always enough, or the machine ends
void host_random(void *out, size_t len);
void machine_lock(void);
void machine_unlock(void);

// ---- exits.c ---------------------------------------------------------------------------------------------
void handle_exit(vcpu_t *v);
void advance(vcpu_t *v, unsigned len);
void inject(vcpu_t *v, unsigned vector, bool has_error, uint32_t error);

// ---- silent.c: instructions done in the guest's place -----------------------------------------------------
void silent_io(vcpu_t *v);
uint32_t port_in(uint16_t port, unsigned size);
void port_out(uint16_t port, unsigned size, uint32_t value);
bool msr_access(vcpu_t *v, uint32_t msr, bool write, uint64_t *value);      // false: #GP
uint64_t ticks(void);                                   // the time stamp counter
void silent_lidt(vcpu_t *v);
bool mmio_read(uint64_t gpa, unsigned len, void *out);
bool mmio_write(uint64_t gpa, unsigned len, const void *in);

// ---- cpuid.c ---------------------------------------------------------------------------------------------
typedef struct { uint32_t eax, ebx, ecx, edx; } cpuid_t;
cpuid_t cpuid_value(vcpu_t *v, uint32_t leaf, uint32_t subleaf, uint64_t xcr0);
void cpuid_page(uint8_t *page);

// ---- reflect.c: #VC ----------------------------------------------------------------------------------------
void reflect(vcpu_t *v, uint32_t exit_code);

// ---- walk.c: the guest's page tables ------------------------------------------------------------------------
bool walk(vcpu_t *v, uint64_t va, uint64_t *gpa);       // -> GPA with its C-bit
bool guest_read(vcpu_t *v, uint64_t va, void *out, size_t len);
bool guest_write(vcpu_t *v, uint64_t va, const void *in, size_t len);       // false: not mapped; ends the guest for a wrong view
size_t guest_fetch(vcpu_t *v, uint8_t *out, size_t len);                    // instruction bytes at RIP -> how many there are
bool operand_address(vcpu_t *v, const uint8_t *insn, size_t len, size_t modrm, uint64_t *address, size_t *end);

// ---- rmp.c -----------------------------------------------------------------------------------------------
enum { RMP_ABSENT, RMP_SHARED, RMP_UNVALIDATED, RMP_VALIDATED, RMP_VMSA, RMP_HOST, RMP_STATE = 15, RMP_LARGE = 16 };
void rmp_init(void);
int rmp_state(uint64_t gpa);                            // RMP_ABSENT: device registers
const char *rmp_name(int state);
bool rmp_is_shared(uint64_t gpa, uint64_t len);
void rmp_set(uint64_t gpa, int state);                  // with both views
void rmp_remap(void);                                   // both views of all pages, as the states say
uint64_t rmp_change(uint64_t gpa, int op, bool large);  // PSC: 0, or EXITINFO2 of a failure
uint32_t rmp_pvalidate(vcpu_t *v, uint64_t gpa, bool large, bool validate, bool *unchanged);
uint32_t rmp_adjust(vcpu_t *v, uint64_t gpa, bool large, uint64_t attributes);
uint8_t *guest_page(uint64_t gpa);                      // host address of a page of RAM that is the guest's, or NULL

// ---- npt.c -----------------------------------------------------------------------------------------------
void npt_init(void);
uint64_t npt_root(const vcpu_t *v);
void npt_page(uint64_t gpa, int state);
void npt_split(void);                                   // from now on, if the user wants it
uint64_t npt_private(uint64_t gpa);                     // host address of a page's private content
void npt_private_fault(uint64_t gpa, bool lend);
void npt_implied(uint64_t gpa, bool writable);
void npt_flush(void);
bool npt_open_fault(uint64_t gpa);                      // everything is mapped; false: nothing to map
void npt_mmio_open(uint64_t gpa);                       // strict, but the firmware's handlers still serve
void npt_mmio_close(void);
uint64_t host_identity(void);                           // root of page tables of our own
void host_reach(uint64_t pa);                           // map the GiB of a device's registers

// ---- insn.c: PVALIDATE, RMPADJUST, writes to CR3 and DR7 ----------------------------------------------------
void undefined_opcode(vcpu_t *v);
void cr3_write(vcpu_t *v);
void dr7_access(vcpu_t *v, bool write);

// ---- msrproto.c, ghcb.c, events.c, psc.c, request.c ------------------------------------------------------------
typedef struct {
    uint64_t code, info1, info2, rax, rbx, rcx, rdx, scratch, xcr0;
    uint8_t valid[16];
    uint8_t *page;              // the GHCB itself, shared with the guest
    uint64_t gpa;
    // out
    uint64_t result1, result2;
} exchange_t;
enum { BIT_RAX = 63, BIT_RCX = 97, BIT_RDX = 98, BIT_RBX = 99, BIT_CODE = 114, BIT_INFO1 = 115, BIT_INFO2 = 116, BIT_SCRATCH = 117, BIT_XCR0 = 125 };
enum { MALFORMED_UNREGISTERED = 1, MALFORMED_USAGE, MALFORMED_SCRATCH, MALFORMED_MISSING, MALFORMED_VALUE, MALFORMED_EVENT };
bool has(const exchange_t *x, int bit);
void malformed(exchange_t *x, int reason);
void exception(exchange_t *x, int vector);              // ask the guest to inject it
uint8_t *scratch_area(exchange_t *x, uint64_t len);     // NULL, and malformed, where it may not lie
void msr_protocol(vcpu_t *v);
void ghcb_exchange(vcpu_t *v);
void event(vcpu_t *v, exchange_t *x);
void event_psc(exchange_t *x);
void event_request(vcpu_t *v, exchange_t *x, bool extended);
enum { MMIO_READ = 0x80000001, MMIO_WRITE = 0x80000002 };

// ---- tally.c -------------------------------------------------------------------------------------------------
enum { TALLY_MSR_PROTOCOL = 0 };                        // in place of an event's code
void tally(uint64_t code, uint64_t target, uint64_t start);
void tally_event(const exchange_t *x, uint64_t start);
void tally_tell(void);

// ---- launch.c ----------------------------------------------------------------------------------------------
const char *launch(void);

// ---- ap.c --------------------------------------------------------------------------------------------------
enum { AP_OFF, AP_STARTING, AP_WAITING, AP_RUN, AP_STOP };
void event_ap_create(exchange_t *x);
void ap_entry(vcpu_t *v) __attribute__((noreturn));
void ap_init_signal(unsigned apic_id);                  // INIT for an AP that was to be created on it
void ap_stop_check(vcpu_t *v);

// ---- fault.c: faults on request ------------------------------------------------------------------------------
bool fault_known(void);                                 // is the option fault a right one?
bool fault_is(const char *name);
bool fault_take(const char *name);                      // as often as its count says
void fault_exit(vcpu_t *v);                             // those that come with no request
void fault_psp(void);
void fault_call(exchange_t *x);
enum { FAULT_CALL = 0x534e5046 };

// ---- log.c -----------------------------------------------------------------------------------------------------
void log_init(bool serial);
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));           // only with the option notes
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void violation(vcpu_t *v, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));
void guest_end(vcpu_t *v, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

// ---- options.c ---------------------------------------------------------------------------------------------------
void options_default(options_t *o);
const char *options_parse(options_t *o, const char *text, size_t len, bool words);  // NULL, or one line on what is wrong

#endif
