// Interfaces that boot/ keeps to itself, grouped by the file that implements them; boot.h is the public part.
#ifndef KEELBACK_BOOT_INTERNAL_H
#define KEELBACK_BOOT_INTERNAL_H

#include <efi.h>
#include <stdarg.h>
#include "boot.h"

// ---- entry.c: the firmware's tables; BS is NULL once boot services are gone ---------------------
extern EFI_SYSTEM_TABLE *ST;
extern EFI_BOOT_SERVICES *BS;
extern EFI_RUNTIME_SERVICES *RT;

// ---- keelback.lds ---------------------------------------------------------------------------------
extern char image_start[], image_end[], text_start[], text_end[], leavable_start[], leavable_end[],
    rodata_start[], rodata_end[], data_start[], bss_start[];

// A stack of len bytes whose lowest page is its guard.
#define STACK(name, len) \
    uint8_t name[PAGE_SIZE + (len)] __attribute__((aligned(4096), section(".stacks,\"aw\",@nobits #")))
#define STACK_TOP(name) ((uint64_t)(name) + sizeof(name))
#define MAIN_STACK_LEN (512 * 1024)
extern uint8_t main_stack[PAGE_SIZE + MAIN_STACK_LEN];

// ---- collect.c, volume.c, options.c ---------------------------------------------------------------
void collect(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);
int64_t unix_seconds(const EFI_TIME *t);                    // since 1970, UTC; 0: no date
void volume_collect(EFI_HANDLE device, const char *self);   // fills boot_info.files
size_t utf8_from_ucs2(char *out, size_t out_len, const CHAR16 *in, size_t in_count);    // -> bytes, NUL added
void options_parse_file(const char *text, size_t len);
void options_parse_words(const char *text);
void *firmware_pool(size_t len);                            // EfiLoaderData, zeroed; NULL: none

// ---- acpi.c ------------------------------------------------------------------------------------------
// The first table with that signature, length and checksum verified, or NULL.
const uint8_t *acpi_find(const char *signature, uint32_t *len);

// ---- memmap.c ----------------------------------------------------------------------------------------
bool memmap_load(void);                     // read the firmware's map; its key is memmap_key
extern UINTN memmap_key;
void memmap_reserve(void);                  // allocate what memmap_load needs, with slack
void memmap_add_conventional(void);         // after the exit: memory that nothing of the firmware lives in
void memmap_add_boot_services(void);        // after our page tables, GDT and stack are in force
// paging.c: end of the run of pages from start on that the tables in force have all as private, or all as shared.
uint64_t paging_run(uint64_t start, uint64_t end, bool *shared);

// ---- paging.c, exec.c -----------------------------------------------------------------------------
void paging_init(void);                     // build and load our page tables
void paging_unmap(uint64_t addr);           // one page: a guard
extern uint64_t c_mask;                     // sev.c: the C-bit; 0: there is none
// walk.c. -> size of the page that holds addr, 0: not mapped
uint64_t map_leaf(uint64_t addr, uint64_t *entry);
uint64_t map_physical(uint64_t entry, uint64_t size, uint64_t addr);
#define EFI_UNACCEPTED 15                   // UEFI 2.10, 7.2: EfiUnacceptedMemoryType
void exec_adopt(void);                      // give chunks made in firmware mode their W^X mapping

// ---- desc.c, idt.c, apic.c, guard.S ----------------------------------------------------------------
void desc_init(void);
void idt_init(void);
void madt_parse(void);                      // processors, IOAPICs, overrides; while any page tables map ACPI
void apic_init(void);
void apic_eoi(void);
void apic_timer_arm(uint64_t delta_ns);     // one shot, in place of the one before

enum { IST_DOUBLE_FAULT = 1, IST_NMI, IST_MACHINE_CHECK, IST_VC, IST_FAULT, IST_IRQ };

typedef struct {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
} trap_frame_t;
void trap(trap_frame_t *f);                 // from vectors.S
void trap_exception(trap_frame_t *f);       // a guarded call, a stack overflow, or a report
bool leavable(uint64_t rip);                // code made at run time, or what keelback.lds puts aside: owns nothing half done
void trap_report(const trap_frame_t *f) __attribute__((noreturn));     // panic.c
void vc_report(const trap_frame_t *f, const char *why) __attribute__((noreturn));  // panic.c: a #VC that is not served
// The host does not keep what it must: a report, then the end as fault= says, without that by telling it.
void host_broke(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));     // panic.c
void panic_end(void) __attribute__((noreturn));             // panic.c: frames, backtrace, then as fault= says
extern uint64_t guard_sp;                   // guard.S: 0 while nothing is guarded
extern int guard_vector;
void guard_recover(void);
bool firmware_interrupted(uint64_t *rip, uint64_t *rsp);    // firmware.c: as interrupted()

// ---- sev.c, ghcb.c, psc.c, vc.c: an SEV-SNP guest; ghcb.h and io.h have more -------------------------------
#define STATUS_SECURE_TSC (1u << 11)        // of sev_status
void sev_keep_unaccepted(void);             // the firmware is not to validate all memory when it exits
void sev_detect(void);                      // while the firmware's #VC handler is in force; ends what we cannot run as
void vc_handle(trap_frame_t *f);
uint64_t page_piece(uint64_t addr, uint64_t end);           // bytes of the page that can change its state at addr: 4 KiB or 2 MiB
bool page_accept(uint64_t addr, uint64_t len);              // memory that was never validated becomes ours; false: refused, or no memory

// ---- time.c ----------------------------------------------------------------------------------------------
void time_start(void);                      // first samples, at entry
void time_first_sample(void);               // once ACPI is known
void time_calibrate(void);                  // before the exit; waits only if too little time has passed
void time_secure(void);                     // once our #VC handler is in force: the rate that no host can set
uint64_t time_measure_hz(uint64_t count, uint64_t tsc_delta);

// ---- alarm.c -----------------------------------------------------------------------------------------------
void timer_by(uint64_t at_ns);              // the timer interrupts by then, perhaps earlier; interrupts are off
void alarm_ring(void);                      // the timer came: call what is due; interrupts are off
void alarm_rearm(void);                     // the timer is ours from now on

// ---- console.c, serial.c ----------------------------------------------------------------------------------------------
void console_vprintf(const char *fmt, va_list ap);
bool serial_init(void);                     // false: no UART at COM1
bool serial_present(void);
void serial_irq_start(void);                // from polling to interrupts
void serial_poll(void);                     // move received bytes into the ring
void serial_write(const char *s, size_t len);
int serial_read(void);
bool serial_readable(void);

// ---- firmware.c: firmware mode's console, idle and memory -----------------------------------------------
void firmware_console_take(void);           // the terminal driver lets go of the serial line
void firmware_console_return(void);
void firmware_poll_start(void);             // a timer event looks for input while Python computes
void firmware_poll_stop(void);
void firmware_guard_init(void);             // fault_guard through the firmware's exception handlers
void firmware_guard_end(void);

// ---- entropy.c -----------------------------------------------------------------------------------------
void entropy_init(void);                    // while boot services are there

#endif
