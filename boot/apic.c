// Local APIC (x2APIC where there is one), IOAPIC, the one-shot timer and the count of processors.
// Source: AMD64 Architecture Programmer's Manual, volume 2, 16; Intel SDM, volume 3, 11 (timer, TSC deadline);
// ACPI 6.5, 5.2.12 (MADT); Intel 82093AA (IOAPIC).

#include "internal.h"
#include "io.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_ENABLE (1u << 11)
#define APIC_BASE_X2 (1u << 10)
#define MSR_TSC_DEADLINE 0x6e0
#define X2_MSR(reg) (0x800 + ((reg) >> 4))

#define REG_ID 0x20
#define REG_TPR 0x80
#define REG_EOI 0xb0
#define REG_SVR 0xf0
#define REG_LVT_TIMER 0x320
#define REG_LVT_LINT0 0x350
#define REG_LVT_ERROR 0x370
#define REG_TIMER_INIT 0x380
#define REG_TIMER_COUNT 0x390
#define REG_TIMER_DIVIDE 0x3e0

#define SVR_ENABLE 0x100
#define SPURIOUS_VECTOR 0xff
#define LVT_MASKED (1u << 16)
#define LVT_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_16 3
#define LONGEST_NS 1000000000000ull         // who sleeps longer is woken and sleeps again

#define IOAPIC_SELECT 0x00                  // byte offsets of the two windows
#define IOAPIC_DATA 0x10
#define IOAPIC_VERSION 1                    // register numbers
#define IOAPIC_REDIRECTION 0x10
#define REDIRECT_ACTIVE_LOW (1u << 13)
#define REDIRECT_LEVEL (1u << 15)
#define REDIRECT_MASKED (1u << 16)

#define CPUID1_ECX_X2APIC (1u << 21)
#define CPUID1_ECX_TSC_DEADLINE (1u << 24)

uint32_t cpu_count = 1;
static bool x2apic, tsc_deadline;
static uint64_t lapic;                      // address of its registers; 0: not found yet, or x2APIC
static int timer_vector;
static uint64_t count_tsc;                  // TSC when the calibration count-down began
static uint64_t timer_hz;                   // 0: not known yet
static uint64_t armed_tsc, armed_ticks;     // the count-down in progress

static struct { uint64_t addr; uint32_t gsi_base, gsi_count; } ioapics[8];
static unsigned ioapic_count;
static struct { uint32_t gsi; uint16_t flags; } isa[16];

static uint32_t lapic_read(uint32_t reg) {
    return x2apic ? (uint32_t)rdmsr(X2_MSR(reg)) : mmio_read32(lapic + reg);
}

static void lapic_write(uint32_t reg, uint32_t value) {
    if (x2apic) {
        wrmsr(X2_MSR(reg), value);
    } else {
        mmio_write32(lapic + reg, value);
    }
}

uint32_t apic_id(void) {
    if (lapic == 0 && !x2apic) {         // firmware mode: what CPUID says of this processor
        return cpuid(1, 0).ebx >> 24;
    }
    return x2apic ? lapic_read(REG_ID) : lapic_read(REG_ID) >> 24;
}

void apic_eoi(void) {
    lapic_write(REG_EOI, 0);
}

static uint32_t ioapic_read(uint64_t addr, uint32_t reg) {
    mmio_write32(addr + IOAPIC_SELECT, reg);
    return mmio_read32(addr + IOAPIC_DATA);
}

static void ioapic_write(uint64_t addr, uint32_t reg, uint32_t value) {
    mmio_write32(addr + IOAPIC_SELECT, reg);
    mmio_write32(addr + IOAPIC_DATA, value);
}

static uint32_t get32(const uint8_t *p) {
    uint32_t v;
    __builtin_memcpy(&v, p, 4);
    return v;
}

static void madt_entry(const uint8_t *e, uint8_t len) {
    if (e[0] == 0 && len >= 8) {            // processor: APIC id, flags
        cpu_count += get32(e + 4) & 1;
    } else if (e[0] == 9 && len >= 16) {    // processor with an x2APIC id
        cpu_count += get32(e + 8) & 1;
    } else if (e[0] == 1 && len >= 12 && ioapic_count < sizeof(ioapics) / sizeof(ioapics[0])) {
        ioapics[ioapic_count].addr = get32(e + 4);
        ioapics[ioapic_count++].gsi_base = get32(e + 8);
    } else if (e[0] == 2 && len >= 10 && e[3] < 16) {       // ISA interrupt source override
        isa[e[3]].gsi = get32(e + 4);
        isa[e[3]].flags = e[8] | e[9] << 8;
    }
}

void madt_parse(void) {
    uint32_t len;
    for (uint32_t i = 0; i < 16; i++) {
        isa[i].gsi = i;
    }
    const uint8_t *madt = acpi_find("APIC", &len);
    if (madt == NULL) {
        return;
    }
    cpu_count = 0;
    for (uint32_t at = 44; at + 2 <= len && madt[at + 1] >= 2 && at + madt[at + 1] <= len; at += madt[at + 1]) {
        madt_entry(madt + at, madt[at + 1]);
    }
    cpu_count = cpu_count == 0 ? 1 : cpu_count;
}

static void ioapic_init(void) {
    for (unsigned i = 0; i < ioapic_count; i++) {
        map_range(ioapics[i].addr & ~0xfffull, PAGE_SIZE, MAP_R | MAP_W | MAP_UC);
        ioapics[i].gsi_count = (ioapic_read(ioapics[i].addr, IOAPIC_VERSION) >> 16 & 0xff) + 1;
        for (uint32_t k = 0; k < ioapics[i].gsi_count; k++) {
            ioapic_write(ioapics[i].addr, IOAPIC_REDIRECTION + 2 * k, REDIRECT_MASKED);
        }
    }
}

bool irq_route_isa(unsigned irq, int vector) {
    if (irq >= 16) {
        return false;
    }
    uint32_t gsi = isa[irq].gsi;
    for (unsigned i = 0; i < ioapic_count; i++) {
        if (gsi - ioapics[i].gsi_base < ioapics[i].gsi_count) {
            uint32_t reg = IOAPIC_REDIRECTION + 2 * (gsi - ioapics[i].gsi_base);
            uint32_t low = vector | ((isa[irq].flags & 3) == 3 ? REDIRECT_ACTIVE_LOW : 0)
                | ((isa[irq].flags >> 2 & 3) == 3 ? REDIRECT_LEVEL : 0);
            ioapic_write(ioapics[i].addr, reg + 1, apic_id() << 24);
            ioapic_write(ioapics[i].addr, reg, low);
            return true;
        }
    }
    return false;
}

// Waking up from hlt is what it is for. A long count-down is also a better measure of the rate than the first one was.
static void on_timer(void *arg) {
    (void)arg;
    if (armed_ticks > timer_hz / 100 && armed_ticks != 0) {
        timer_hz = time_measure_hz(armed_ticks, rdtsc() - armed_tsc);
        armed_ticks = 0;
    }
    alarm_ring();
}

static void timer_init(void) {
    timer_vector = irq_alloc(on_timer, NULL);
    tsc_deadline = cpuid(1, 0).ecx & CPUID1_ECX_TSC_DEADLINE;
    if (tsc_deadline) {
        lapic_write(REG_LVT_TIMER, timer_vector | LVT_TSC_DEADLINE);
        return;
    }
    // Count down from the top, masked, until the first deadline asks how fast it went: nobody waits.
    lapic_write(REG_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(REG_LVT_TIMER, timer_vector | LVT_MASKED);
    lapic_write(REG_TIMER_INIT, ~0u);
    count_tsc = rdtsc();
}

static void timer_calibrate(void) {
    uint64_t tsc;
    do {
        tsc = rdtsc();
    } while (tsc - count_tsc < tsc_hz / 10000);             // 0.1 ms has long passed, as a rule
    timer_hz = time_measure_hz(~0u - lapic_read(REG_TIMER_COUNT), tsc - count_tsc);
    lapic_write(REG_LVT_TIMER, timer_vector);
}

void apic_timer_arm(uint64_t delta_ns) {
    delta_ns = delta_ns > LONGEST_NS ? LONGEST_NS : delta_ns;
    if (tsc_deadline) {
        wrmsr(MSR_TSC_DEADLINE, rdtsc() + mul_div(delta_ns, tsc_hz, 1000000000) + 1);
        return;
    }
    if (timer_hz == 0) {
        timer_calibrate();
    }
    uint64_t ticks = mul_div(delta_ns, timer_hz, 1000000000) + 1;
    armed_ticks = ticks > ~0u ? ~0u : ticks;
    armed_tsc = rdtsc();
    lapic_write(REG_TIMER_INIT, armed_ticks);
}

void apic_init(void) {
    outb(0x21, 0xff);                       // both 8259s: everything masked
    outb(0xa1, 0xff);
    uint64_t base = rdmsr(MSR_APIC_BASE);
    x2apic = (base & APIC_BASE_X2) || (cpuid(1, 0).ecx & CPUID1_ECX_X2APIC);
    wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
    if (x2apic) {
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2);
    } else {
        lapic = base & 0x000ffffffffff000ull;
        map_range(lapic, PAGE_SIZE, MAP_R | MAP_W | MAP_UC);
    }
    lapic_write(REG_LVT_LINT0, LVT_MASKED);
    lapic_write(REG_LVT_ERROR, LVT_MASKED);
    lapic_write(REG_TPR, 0);
    lapic_write(REG_SVR, SVR_ENABLE | SPURIOUS_VECTOR);
    ioapic_init();
    timer_init();
    alarm_rearm();
}
