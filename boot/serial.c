// The console's line: a 16550 UART at COM1, polled at first and interrupt-driven after boot services.
// The receive path may run inside an interrupt: general registers only.
// Source: National Semiconductor PC16550D data sheet (registers); COM1 at 3F8h, ISA interrupt 4.

#include "internal.h"
#include "io.h"

#define COM1 0x3f8
#define COM1_IRQ 4
#define REG_DATA (COM1 + 0)
#define REG_IER (COM1 + 1)
#define REG_FCR (COM1 + 2)
#define REG_LCR (COM1 + 3)
#define REG_MCR (COM1 + 4)
#define REG_LSR (COM1 + 5)
#define REG_SCRATCH (COM1 + 7)

#define IER_RX 0x01
// FIFOs on and emptied, interrupt at 14 bytes or after a pause of four characters. QEMU hands over no more than
// the trigger level at a time, so a low one makes pastes slow.
#define FCR_ENABLE_CLEAR 0xc7
#define LCR_8N1 0x03
#define LCR_DLAB 0x80
#define MCR_DTR_RTS_OUT2 0x0b               // OUT2 lets the interrupt out on a PC
#define LSR_READY 0x01
#define LSR_THR_EMPTY 0x20
#define FIFO_LEN 16

#define RING_LEN 65536                      // power of two
static uint8_t ring[RING_LEN];
static volatile uint32_t ring_in, ring_out;
static bool present, irq_driven, stopped;     // stopped: the ring was full, the line waits
volatile int console_intr_char = -1;

bool serial_present(void) {
    return present;
}

bool serial_init(void) {
    outb(REG_SCRATCH, 0xa5);
    present = inb(REG_SCRATCH) == 0xa5 && inb(REG_LSR) != 0xff;
    if (present) {
        outb(REG_IER, 0);
        outb(REG_LCR, LCR_8N1 | LCR_DLAB);
        outb(REG_DATA, 1);                  // divisor 1: 115200 baud
        outb(REG_IER, 0);
        outb(REG_LCR, LCR_8N1);
        outb(REG_FCR, FCR_ENABLE_CLEAR);
        outb(REG_MCR, MCR_DTR_RTS_OUT2);
    }
    return present;
}

// A full ring stops the line (the UART's FIFO fills, the sender waits) rather than lose bytes, except while the
// interrupt character is wanted: then bytes beyond the ring are dropped so that it is always found.
static void receive(void) {
    while (present && (inb(REG_LSR) & LSR_READY)) {
        bool full = ring_in - ring_out == RING_LEN;
        if (full && console_intr_char < 0) {
            outb(REG_IER, 0);
            stopped = true;
            return;
        }
        int c = inb(REG_DATA);
        if (c == console_intr_char) {
            ring_out = ring_in;             // what was typed before it is void
            console_interrupt();
        } else if (!full) {
            ring[ring_in % RING_LEN] = c;
            ring_in++;
            idle_wake();
        }
    }
}

// In firmware mode its timer event may come between a byte's reading and its place in the ring.
void serial_poll(void) {
    static volatile bool polling;
    if (!polling) {
        polling = true;
        receive();
        polling = false;
    }
}

static void on_irq(void *arg) {
    (void)arg;
    serial_poll();
}

void serial_irq_start(void) {
    int vector = irq_alloc(on_irq, NULL);
    if (present && vector >= 0 && irq_route_isa(COM1_IRQ, vector)) {
        irq_driven = true;
        serial_poll();
        outb(REG_IER, IER_RX);
    }
}

bool serial_readable(void) {
    if (!irq_driven) {
        serial_poll();
    }
    return ring_in != ring_out;
}

static void resume(void) {
    if (stopped && irq_driven) {
        stopped = false;
        outb(REG_IER, IER_RX);
    }
}

int serial_read(void) {
    if (!serial_readable()) {
        return -1;
    }
    int c = ring[ring_out % RING_LEN];
    ring_out++;
    if (stopped && ring_in - ring_out <= RING_LEN / 2) {
        resume();
    }
    return c;
}

void console_flush_input(void) {
    ring_out = ring_in;
    resume();
}

// The character may have come in before it was wanted: Ctrl-C right behind the Enter that started a program.
void console_set_intr_char(int c) {
    console_intr_char = c;
    for (uint32_t i = ring_out; c >= 0 && i != ring_in; i++) {
        if (ring[i % RING_LEN] == c) {
            ring_out = i + 1;
            console_interrupt();
        }
    }
    resume();
}

static void write_fifo(const char *s, size_t n) {
    if (ghcb_live) {
        host_out_bytes(REG_DATA, s, n);     // one exit
        return;
    }
    for (; n > 0; n--) {
        outb(REG_DATA, *s++);
    }
}

// THR empty means the whole FIFO is: sixteen bytes go for one look at the status.
void serial_write(const char *s, size_t len) {
    while (present && len > 0) {
        uint32_t spins = 0;
        while (!(inb(REG_LSR) & LSR_THR_EMPTY) && ++spins < 10000000) {
            cpu_pause();
        }
        size_t n = len < FIFO_LEN ? len : FIFO_LEN;
        write_fifo(s, n);
        s += n;
        len -= n;
    }
}
