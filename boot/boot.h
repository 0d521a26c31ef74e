// Every interface of boot/, grouped by the file that implements it.
//
// boot/ takes the machine from the firmware's entry point to main() and keeps owning it afterwards.
// It knows nothing of Python; port/ stands on this header alone. Addresses are guest-physical and
// identity-mapped, sizes are bytes and times nanoseconds unless a name says otherwise.
#ifndef KEELBACK_BOOT_H
#define KEELBACK_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096u

// ---- entry.c: the order of bring-up ----------------------------------------------------------
extern char *const main_stack_bottom, *const main_stack_top;    // keelback_main() runs on it
// Provided by port/: runs the interpreter on the main stack; its return leaves the machine
// (firmware mode: back to the firmware; bare mode: power off).
int keelback_main(void);
extern const char keelback_banner[];        // provided by port/: "keelback • micropython/… • UEFI x64"

// ---- collect.c: what only the firmware knows -------------------------------------------------
typedef struct boot_file {
    const char *path;                       // UTF-8, '/' separated, no leading '/'
    uint8_t *data;                          // NULL for a folder; never moves, never freed
    uint64_t size;                          // bytes
    int64_t mtime;                          // seconds since 1970-01-01 UTC
    bool is_dir;
} boot_file_t;

typedef struct {
    void *image_handle, *system_table;      // EFI_HANDLE, EFI_SYSTEM_TABLE *
    void *runtime_services;                 // EFI_RUNTIME_SERVICES *
    uint64_t image_base, image_size;        // where the firmware put us
    uint64_t rsdp, smbios, smbios3, cc_blob;  // 0 where there is none
    boot_file_t *files;                     // parents before children
    size_t file_count;
    const char *files_note;                 // what was left out and why, or NULL
    char *load_options;                     // UTF-8, "" where there are none
} boot_info_t;
extern boot_info_t boot_info;

// ---- options.c: key=value words, from the option file first, then the load options -----------
const char *option_get(const char *key);    // NULL where it is not given; the last one wins
size_t option_count(void);
const char *option_key(size_t i);           // with option_value: what was given, in order
const char *option_value(size_t i);

// ---- exit.c: leaving the firmware --------------------------------------------------------------
bool boot_services_alive(void);             // true: firmware mode, nothing of the machine is ours
// Exit boot services now and take over the machine; from then on bare mode. Returns false, with
// the firmware still alive, if the firmware refuses.
bool exit_boot_services(void);

// ---- memmap.c: the memory map and the page allocator -----------------------------------------
typedef struct { uint32_t type, pad; uint64_t start, virt, pages, attr; } efi_memory_t;
const efi_memory_t *memmap_get(size_t i);   // the firmware's map at exit, sorted; NULL past its end
uint64_t memmap_ram(void);                  // bytes of RAM in the map, whoever uses it
void *page_alloc(size_t count);             // contiguous, 4 KiB aligned, not zeroed; NULL: none left
void *page_alloc_zero(size_t count);
void page_free(void *addr, size_t count);
typedef struct { uint64_t total, free, largest; } page_stats_t;   // bytes that the allocator owns
page_stats_t page_stats(void);

// ---- paging.c ------------------------------------------------------------------------------------
// MAP_SHARED: in an SEV-SNP guest, readable by the host; what is MAP_UC is that always. Nowhere else does it come back.
enum { MAP_R = 1, MAP_W = 2, MAP_X = 4, MAP_UC = 8, MAP_SHARED = 16 };
int map_attr(uint64_t addr);                // MAP_* bits of the page that holds addr, or -1: not mapped
bool map_range(uint64_t addr, uint64_t len, int attr);      // len rounded up to pages; false: no memory
bool map_window(uint64_t virt, uint64_t phys, uint64_t len, int attr);     // as map_range, virt elsewhere; attr 0: unmap
bool map_check(uint64_t addr, uint64_t len, int attr);      // is all of it mapped at least like that?
// Memory for code made at run time: writable through the returned pointer's alias, executable at it.
void *exec_alloc(size_t len);               // zeroed, 16-byte aligned; NULL: none left
void exec_write(void *dst, const void *src, size_t len);    // the only way to write into it
bool exec_holds(uint64_t addr);             // callable from interrupt handlers
void exec_reset(void);                      // forget everything (soft reset)

// ---- shared.c: memory that devices reach -----------------------------------------------------------
void *device_alloc(size_t count);           // as page_alloc; shared with the host where it must be
void device_free(void *addr, size_t count);

// ---- sev.c, ghcb.c, psc.c: in an SEV-SNP guest -------------------------------------------------------
extern uint64_t sev_status;                 // MSR C001_0131; 0: no memory encryption
extern unsigned sev_c_bit;                  // bit of an address that makes it private; 0: there is none
extern uint64_t sev_secrets;                // address of the secrets page
extern bool snp_guest;                      // this is one
extern bool ghcb_live;                      // and we speak with the host ourselves: bare mode
typedef struct { uint64_t code, info1, info2, rax, rbx; bool has_rax, has_rbx; } host_call_t;   // in, and out
bool host_call(host_call_t *call);          // one exit; false: the host says that there was none
uint64_t ghcb_msr(uint64_t word);           // one exchange of the GHCB MSR protocol
uint64_t ghcb_addr(void);                   // of the page that this processor speaks through
typedef struct { unsigned min, max, used; uint64_t features; } ghcb_protocol_t;
ghcb_protocol_t ghcb_protocol(void);
// Codes, and how often they were used: exits, and exceptions handled. False: there are no more.
#define GHCB_COUNT_MSR UINT64_MAX           // exchanges of the MSR protocol
#define GHCB_COUNT_OTHER (UINT64_MAX - 1)
bool ghcb_count_get(unsigned i, uint64_t *code, uint32_t *count);
bool vc_count_get(unsigned i, uint64_t *code, uint32_t *count);
// Whole pages of ordinary memory, whose content is lost.
enum { PAGE_DONE, PAGE_NO_SNP, PAGE_STATE, PAGE_NO_MEMORY, PAGE_REFUSED };     // PAGE_STATE: not aligned, or not all of them are such
int page_share(uint64_t addr, uint64_t len);
int page_unshare(uint64_t addr, uint64_t len);
// ap.c: start another processor; it says which APIC id the host tells it through a GHCB of its own, and parks. With Secure TSC its
// scale and offset come from a TSC information message. AP_NONE: no SEV-SNP guest, no such feature, or none that runs.
enum { AP_DONE, AP_NONE, AP_RUNS, AP_NO_MEMORY, AP_REFUSED, AP_SILENT };
int ap_start(uint32_t id, uint64_t tsc_scale, uint64_t tsc_offset, uint32_t *seen_id, uint64_t *ghcb);
int ap_stop(uint32_t id);
// The bare instructions, and what they return; carry: nothing changed.
int pvalidate(uint64_t addr, bool large, bool validate, bool *carry);
int rmpadjust(uint64_t addr, bool large, uint64_t attributes);

// ---- io.c: ports, registers of devices, and CPUID as it can be trusted ----------------------------------
uint32_t port_read(uint16_t port, unsigned bytes);          // 1, 2 or 4
void port_write(uint16_t port, unsigned bytes, uint32_t value);
uint64_t host_read(uint64_t addr, unsigned bytes);          // while ghcb_live, for MAP_UC pages
void host_write(uint64_t addr, unsigned bytes, uint64_t value);
void cpuid_read(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

// ---- idt.c, desc.c, apic.c ---------------------------------------------------------------------
extern uint32_t cpu_count;                  // enabled processors in the MADT; one runs, the others are parked
// Run fn(arg); true if it ended, false if it raised an exception (#GP, #PF …), whose vector is stored.
// fn must hold no state that needs undoing; interrupts stay as they are.
bool fault_guard(void (*fn)(void *), void *arg, int *vector);
// Provided by port/, called by the fault handler: where to continue after the main stack overflowed; false: nowhere.
bool stack_overflow_unwind(uint64_t *rip, uint64_t *rsp);
// Provided by port/, called behind each interrupt: is a Ctrl-C waiting to be raised; where to continue so that the
// interrupted code, which can be left anywhere, raises it. False: not now.
bool interrupt_pending(void);
bool interrupt_unwind(uint64_t *rip, uint64_t *rsp);
// Runs with interrupts off and general registers only: no call of memcpy and its like, which use SSE.
typedef void (*irq_handler_t)(void *arg);
int irq_alloc(irq_handler_t fn, void *arg); // a free vector, or -1
void irq_free(int vector);
// Where the code was that an interrupt interrupted; callable from handlers and alarms. False: nowhere to be found.
bool interrupted(uint64_t *rip, uint64_t *rsp);
uint32_t apic_id(void);
bool irq_route_isa(unsigned irq, int vector);               // through the IOAPIC

// ---- time.c ---------------------------------------------------------------------------------------
uint64_t clock_ns(void);                    // monotonic, since firmware entry into us
int64_t clock_wall_ns(void);                // since 1970-01-01 UTC
void clock_set_wall_ns(int64_t ns);
extern uint64_t tsc_hz, tsc_start;          // TSC at our entry
extern const char *tsc_source;              // how tsc_hz was found: "cpuid 15h", "hypervisor", "pm timer", "pit", "secure tsc", "unknown"
// Sleep (hlt) until an interrupt or until clock_ns() reaches deadline_ns (UINT64_MAX: no deadline).
// Returns at once if input came in or idle_wake() was called since the last return: a caller that waits for input
// looks first, and one that does not is not kept awake by what nobody reads.
void cpu_idle_until(uint64_t deadline_ns);
void idle_wake(void);                       // callable from interrupt handlers
uint64_t cpu_idle_ns(void);                 // how long it slept, in all
bool cpu_idles(void);                       // from there: was that cpu_idle_until's hlt?

// ---- alarm.c: functions at a time, whether the program waits then or computes -----------------------
#define ALARM_OFF UINT64_MAX
typedef struct alarm {
    void (*fn)(struct alarm *self);         // called as an irq_handler_t is; the alarm is off by then and may be set again
    uint64_t at_ns;                         // clock_ns() time, or ALARM_OFF; to be read only
    struct alarm *next;
} alarm_t;
void alarm_set(alarm_t *alarm, uint64_t at_ns);             // in place of what was set before; ALARM_OFF: not at all

// ---- chart.c: where boot time goes ----------------------------------------------------------------
typedef struct { const char *name; uint64_t tsc; } chart_mark_t;
void chart_mark(const char *name);          // a phase ends here; name must stay valid
size_t chart_get(const chart_mark_t **marks);

// ---- serial.c, console.c -------------------------------------------------------------------------
void console_write(const char *s, size_t len);  // bytes as they are; waits for the line
int console_read(void);                     // next byte, or -1
bool console_readable(void);
// The byte that calls console_interrupt() instead of entering the buffer; -1: none.
extern volatile int console_intr_char;
void console_set_intr_char(int c);
void console_interrupt(void);               // provided by port/; may run inside an interrupt
void console_flush_input(void);
void console_puts(const char *s);           // '\n' becomes "\r\n"
void console_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));  // %s %c %d %u %x, l, widths, 0

// ---- entropy.c ---------------------------------------------------------------------------------------
const char *entropy_source(void);           // "rdseed+efi", …, or NULL: there is none
bool entropy_get(void *buf, size_t len);    // false: no source, buf untouched. Key-grade bytes (DRBG).

// ---- power.c -----------------------------------------------------------------------------------------
enum { POWER_OFF, POWER_COLD, POWER_WARM, POWER_HALT };
void machine_power(int kind) __attribute__((noreturn));

// ---- panic.c -----------------------------------------------------------------------------------------
// A last report for faults found in software; then halts or resets as the option fault= says.
void panic(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
// Provided by port/: print the Python frames that are running, with console_printf. No allocation.
void panic_python_frames(void);
// Name of the function that holds addr and the offset in it, from the table linked into the image,
// or NULL. Addresses outside the image give NULL.
const char *symbol_lookup(uint64_t addr, uint64_t *offset);

// ---- idt.c, firmware.c: instructions that may fault, and calls of the firmware ------------------------
bool msr_read(uint32_t msr, uint64_t *value);   // false: #GP
bool msr_write(uint32_t msr, uint64_t value);   // false: #GP
// Call a firmware function with the Microsoft ABI: up to 8 integer arguments. -> EFI_STATUS
uint64_t efi_call(uint64_t fn, const uint64_t *args, size_t nargs);

#endif
