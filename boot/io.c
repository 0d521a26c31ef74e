// Ports, device registers and MSRs by way of the host, without raising #VC first. And the functions that port/ calls for them.
// Source: GHCB specification (AMD 56421), 4.1.2 (port I/O), 4.1.3 (MSR), 4.1.5 (MMIO).
// Runs inside interrupts and in the #VC handler: general registers only.

#include "internal.h"
#include "io.h"

static uint64_t low(uint64_t v, unsigned bytes) {
    return bytes < 8 ? v & ((1ull << 8 * bytes) - 1) : v;
}

ghcb_verdict_t host_port(uint32_t info, uint64_t *rax, int *vector) {
    unsigned bytes = info >> 4 & 7;
    ghcb_exit_t x = { .code = EXIT_IOIO, .info1 = info | IOIO_ADDRESS64, .rax = info & IOIO_IN ? 0 : low(*rax, bytes), .in = HAS_RAX };
    ghcb_verdict_t verdict = ghcb_call(&x, vector);
    if (verdict == GHCB_DONE && (info & IOIO_IN)) {
        verdict = x.out & HAS_RAX ? GHCB_DONE : GHCB_VOID;
        *rax = low(x.rax, bytes);
    }
    return verdict;
}

ghcb_verdict_t host_msr(bool write, uint32_t msr, uint64_t *value, int *vector) {
    ghcb_exit_t x = { .code = EXIT_MSR, .info1 = write, .rcx = msr, .in = HAS_RCX };
    if (write) {
        x.rax = (uint32_t)*value;
        x.rdx = *value >> 32;
        x.in |= HAS_RAX | HAS_RDX;
    }
    ghcb_verdict_t verdict = ghcb_call(&x, vector);
    if (verdict == GHCB_DONE && !write) {
        verdict = (x.out & (HAS_RAX | HAS_RDX)) == (HAS_RAX | HAS_RDX) ? GHCB_DONE : GHCB_VOID;
        *value = x.rdx << 32 | (uint32_t)x.rax;
    }
    return verdict;
}

uint32_t host_in(uint16_t port, unsigned bytes) {
    int vector;
    uint64_t rax = 0;
    if (host_port(ioio_info(port, bytes) | IOIO_IN, &rax, &vector) != GHCB_DONE) {
        host_broke("the host does not read port %x", port);
    }
    return rax;
}

void host_out(uint16_t port, unsigned bytes, uint32_t value) {
    int vector;
    uint64_t rax = value;
    if (host_port(ioio_info(port, bytes), &rax, &vector) != GHCB_DONE) {
        host_broke("the host does not write port %x", port);
    }
}

void host_out_bytes(uint16_t port, const char *data, unsigned n) {
    int vector;
    uint64_t flags = ghcb_begin();
    volatile uint8_t *buffer = ghcb_page() + GHCB_BUFFER;
    for (unsigned i = 0; i < n; i++) {
        buffer[i] = data[i];
    }
    ghcb_exit_t x = {
        .code = EXIT_IOIO, .info1 = ioio_info(port, 1) | IOIO_STRING | IOIO_REP | IOIO_ADDRESS64 | SEG_DS << IOIO_SEGMENT_SHIFT, .info2 = n,
        .scratch = (uint64_t)buffer, .in = HAS_SCRATCH,
    };
    ghcb_verdict_t verdict = ghcb_exchange(&x, &vector);
    ghcb_end(flags);
    if (verdict != GHCB_DONE) {
        host_broke("the host does not write port %x", port);
    }
}

static void mmio(uint32_t code, uint64_t addr, unsigned bytes, uint64_t *value) {
    int vector;
    uint64_t flags = ghcb_begin();
    volatile uint64_t *buffer = (volatile uint64_t *)(ghcb_page() + GHCB_BUFFER);
    *buffer = code == EXIT_MMIO_WRITE ? low(*value, bytes) : 0;
    ghcb_exit_t x = { .code = code, .info1 = addr, .info2 = bytes, .scratch = (uint64_t)buffer, .in = HAS_SCRATCH };
    ghcb_verdict_t verdict = ghcb_exchange(&x, &vector);
    *value = low(*buffer, bytes);
    ghcb_end(flags);
    if (verdict != GHCB_DONE) {
        host_broke("the host does not %s the register at %lx", code == EXIT_MMIO_WRITE ? "write" : "read", addr);
    }
}

uint64_t host_read(uint64_t addr, unsigned bytes) {
    uint64_t value = 0;
    mmio(EXIT_MMIO_READ, addr, bytes, &value);
    return value;
}

void host_write(uint64_t addr, unsigned bytes, uint64_t value) {
    mmio(EXIT_MMIO_WRITE, addr, bytes, &value);
}

// ---- for port/ -----------------------------------------------------------------------------------------------------------
uint32_t port_read(uint16_t port, unsigned bytes) {
    return bytes == 1 ? inb(port) : bytes == 2 ? inw(port) : inl(port);
}

void port_write(uint16_t port, unsigned bytes, uint32_t value) {
    if (bytes == 1) {
        outb(port, value);
    } else if (bytes == 2) {
        outw(port, value);
    } else {
        outl(port, value);
    }
}

void cpuid_read(uint32_t leaf, uint32_t subleaf, uint32_t out[4]) {
    cpuid_t c = cpuid(leaf, subleaf);
    out[0] = c.eax;
    out[1] = c.ebx;
    out[2] = c.ecx;
    out[3] = c.edx;
}
