// Firmware mode: living beside boot services. The firmware's terminal driver lets go of the serial line, a timer
// event looks for input and for alarms while Python computes, and exceptions in guarded calls come through the firmware's handlers.
// Nothing of the firmware's IDT, GDT or page tables is replaced.
// Source: UEFI 2.10, 7.1 (events), 7.3 (ConnectController), 12.8 (Serial I/O); PI 1.8, volume 2, 12.3 (CPU arch protocol).

#include "internal.h"
#include "cpu.h"

#define VECTOR_DEBUG 1
#define DR7_ALWAYS 0x400                    // AMD64 Architecture Programmer's Manual, volume 2, 13.1.1
#define DR7_L0 1                            // break where DR0 says, on execution
#define POLL_PERIOD 10000                   // 1 ms in units of 100 ns; the firmware's own tick may be coarser

static EFI_GUID serial_io_guid = { 0xbb25cf6f, 0xf1d4, 0x11d2, { 0x9a, 0x0c, 0x00, 0x90, 0x27, 0x3f, 0xc1, 0xfd } };
static EFI_GUID cpu_arch_guid = { 0x26baccb1, 0x6f42, 0x11d4, { 0xbc, 0xe7, 0x00, 0x80, 0xc7, 0x3c, 0x88, 0x81 } };

static EFI_EVENT poll_event;
static bool may_break;                      // breakpoints come to on_exception()

static void for_each_serial(bool take) {
    EFI_HANDLE *handles;
    UINTN count;
    if (BS->LocateHandleBuffer(ByProtocol, &serial_io_guid, NULL, &count, &handles) != EFI_SUCCESS) {
        return;
    }
    for (UINTN i = 0; i < count; i++) {
        if (take) {
            BS->DisconnectController(handles[i], NULL, NULL);
        } else {
            BS->ConnectController(handles[i], NULL, NULL, TRUE);
        }
    }
    BS->FreePool(handles);
}

void firmware_console_take(void) {
    if (serial_present()) {
        for_each_serial(true);
        serial_init();                      // the driver left its own settings
    }
}

void firmware_console_return(void) {
    if (serial_present()) {
        for_each_serial(false);
    }
}

// What the timer interrupted is known from what the processor pushed onto the very stack that we run on: its frame is
// the one that points right behind itself.
static const uint64_t *pushed_frame(const uint64_t *at) {
    uint16_t cs;
    __asm__ ("mov %%cs, %0" : "=r" (cs));
    const uint64_t *end = (const uint64_t *)main_stack_top - 5;
    for (; at < end; at += 2) {
        if (at[1] == cs && (at[3] & ~15ull) == (uint64_t)(at + 5)) {
            return at;
        }
    }
    return NULL;
}

// Such a frame is where the stack is 8 past a multiple of 16.
static const uint64_t *first_pushed(const uint64_t *from) {
    return pushed_frame(from + (((uint64_t)from & 15) == 0));
}

bool firmware_interrupted(uint64_t *rip, uint64_t *rsp) {
    const uint64_t *frame = first_pushed(__builtin_frame_address(0));
    if (frame == NULL) {
        return false;
    }
    *rip = frame[0];
    *rsp = frame[3];
    return true;
}

// A Ctrl-C that nobody has taken yet, as interrupt_raise() in idt.c. Only an exception handler may change where the
// interrupted code continues, so a breakpoint on its next instruction calls ours.
static void break_where_leavable(void) {
    const uint64_t *frame = first_pushed(__builtin_frame_address(0));
    while (frame != NULL && !leavable(frame[0])) {
        frame = pushed_frame(frame + 2);
    }
    if (frame != NULL) {
        write_dr0(frame[0]);
        write_dr7(DR7_ALWAYS | DR7_L0);
    }
}

static VOID EFIAPI on_poll(EFI_EVENT event, VOID *context) {
    (void)event;
    (void)context;
    serial_poll();
    alarm_ring();
    if (may_break && interrupt_pending()) {
        break_where_leavable();
    }
}

void firmware_poll_start(void) {
    if (BS->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_NOTIFY, (EFI_EVENT_NOTIFY)on_poll, NULL, &poll_event) != EFI_SUCCESS) {
        poll_event = NULL;
        return;
    }
    BS->SetTimer(poll_event, TimerPeriodic, POLL_PERIOD);
}

void firmware_poll_stop(void) {
    if (poll_event != NULL) {
        BS->CloseEvent(poll_event);
        poll_event = NULL;
    }
}

// EFI_SYSTEM_CONTEXT_X64: exception data, 512 bytes of FXSAVE, DR0-3, DR6-7, CR0-4 (CR1 is reserved), CR8, RFLAGS, LDTR, TR …
typedef struct {
    uint64_t exception_data;
    uint8_t fxsave[512];
    uint64_t dr[6], cr0, cr1, cr2, cr3, cr4, cr8, rflags, ldtr, tr, gdtr[2], idtr[2], rip, gs, fs, es, ds, cs, ss;
    uint64_t rdi, rsi, rbp, rsp, rbx, rdx, rcx, rax, r8, r9, r10, r11, r12, r13, r14, r15;
} context_t;
_Static_assert(__builtin_offsetof(context_t, rip) == 8 + 512 + 8 * 19, "UEFI 2.10, 18.2 (debug support protocol)");

static VOID EFIAPI on_exception(INTN vector, context_t *c) {
    if (vector == VECTOR_DEBUG) {
        write_dr7(DR7_ALWAYS);
        if (interrupt_pending()) {
            interrupt_unwind(&c->rip, &c->rsp);
        }
        return;
    }
    if (guard_sp != 0) {
        guard_vector = vector;
        c->rip = (uint64_t)guard_recover;
        c->rsp = guard_sp;
        return;
    }
    trap_frame_t f = {
        .vector = vector, .error = c->exception_data, .rip = c->rip, .cs = c->cs, .rflags = c->rflags, .rsp = c->rsp, .ss = c->ss,
        .rax = c->rax, .rbx = c->rbx, .rcx = c->rcx, .rdx = c->rdx, .rsi = c->rsi, .rdi = c->rdi, .rbp = c->rbp,
        .r8 = c->r8, .r9 = c->r9, .r10 = c->r10, .r11 = c->r11, .r12 = c->r12, .r13 = c->r13, .r14 = c->r14, .r15 = c->r15,
    };
    trap_report(&f);
}

// Registered for the faults that a guarded call can meet. Firmware that has its own handler there keeps it.
static void firmware_guard(bool on) {
    struct cpu_arch {
        void *flush, *enable, *disable, *get_state, *init;
        EFI_STATUS (EFIAPI *register_handler)(struct cpu_arch *self, INTN vector, void *handler);
    } *cpu;
    if (BS->LocateProtocol(&cpu_arch_guid, NULL, (void **)&cpu) != EFI_SUCCESS) {
        return;
    }
    static const uint8_t vectors[] = { 0, 6, 13, 14 };
    for (size_t i = 0; i < sizeof(vectors); i++) {
        cpu->register_handler(cpu, vectors[i], on ? (void *)on_exception : NULL);
    }
    may_break = cpu->register_handler(cpu, VECTOR_DEBUG, on ? (void *)on_exception : NULL) == EFI_SUCCESS && on;
}

void firmware_guard_init(void) {
    firmware_guard(true);
}

void firmware_guard_end(void) {
    firmware_guard(false);
}

uint64_t efi_call8(uint64_t fn, const uint64_t args[8]);

uint64_t efi_call(uint64_t fn, const uint64_t *args, size_t nargs) {
    uint64_t all[8] = { 0 };
    for (size_t i = 0; i < nargs && i < 8; i++) {
        all[i] = args[i];
    }
    return efi_call8(fn, all);
}
