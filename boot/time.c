// Monotonic and wall time from the TSC, and sleeping until the next interrupt or deadline.
// The TSC's rate comes from CPUID where it is told, else from the PM timer over the time that bring-up takes anyway.
// Source: Intel SDM, volume 3, 19.7.3 (leaves 15h, 16h); hypervisor leaf 4000_0010h (VMware, KVM); ACPI 6.5, 4.8.3.3 (PM timer).

#include "internal.h"
#include "io.h"

#define PM_TIMER_HZ 3579545u
#define PM_TIMER_MASK 0xffffffu             // 24 bits are always there
#define PM_MIN_TICKS 1000u                  // 0.3 ms: good to 0.1 %, until refine() has a longer span
#define PM_REFINE_NS 200000000ull
#define PIT_HZ 1193182u
#define MSR_GUEST_TSC_FREQ 0xc0010134u      // bits 17:0: MHz
#define SECRETS_WITH_FACTOR 3               // version of the page
#define SECRETS_TSC_FACTOR 0x160

uint64_t tsc_hz, tsc_start;
const char *tsc_source;
static volatile bool wake_pending;

static uint16_t pm_port;
static uint32_t pm_start;
static uint64_t pm_tsc;
static uint64_t ns_scale;                   // ns = ticks * ns_scale >> 32, counted from base_tsc
static uint64_t base_tsc, base_ns;
static bool refined;
static volatile bool idles;                 // in hlt
static uint64_t idle_ns;
static int64_t wall_offset_ns;              // wall clock when clock_ns() was 0

static uint64_t scale(uint64_t ticks) {
    return (uint64_t)((unsigned __int128)ticks * ns_scale >> 32);
}

// A new rate counts from now on, so that the clock never jumps.
static void set_rate(uint64_t hz, const char *source) {
    uint64_t now = rdtsc();
    base_ns += scale(now - base_tsc);
    base_tsc = now;
    tsc_hz = hz;
    tsc_source = source;
    ns_scale = mul_div(1000000000, 1ull << 32, hz);
}

static uint64_t cpuid_rate(void) {
    uint32_t top = cpuid(0, 0).eax;
    if (top >= 0x15) {
        cpuid_t c = cpuid(0x15, 0);
        if (c.eax != 0 && c.ebx != 0 && c.ecx != 0) {
            return (uint64_t)c.ecx * c.ebx / c.eax;
        }
    }
    return 0;
}

static uint64_t hypervisor_rate(void) {
    if (!(cpuid(1, 0).ecx >> 31) || cpuid(0x40000000, 0).eax < 0x40000010) {
        return 0;
    }
    return (uint64_t)cpuid(0x40000010, 0).eax * 1000;
}

static bool plausible(uint64_t hz) {        // whoever told it may lie or err
    return hz >= 10000000ull && hz <= 20000000000ull;
}

// The PM timer's I/O port from the FADT: byte 76, length 91; the extended field (208) where the old one is 0.
static void pm_find(void) {
    uint32_t len;
    const uint8_t *fadt = acpi_find("FACP", &len);
    if (fadt != NULL && len >= 92 && fadt[91] == 4) {
        pm_port = fadt[76] | fadt[77] << 8;
    }
}

void time_start(void) {
    tsc_start = base_tsc = rdtsc();
    set_rate(1000000000, NULL);            // until it is known
}

// Called once ACPI's place is known: the earlier, the longer the measured span.
void time_first_sample(void) {
    pm_find();
    if (pm_port != 0) {
        pm_start = inl(pm_port) & PM_TIMER_MASK;
        pm_tsc = rdtsc();
    }
}

static uint64_t pm_rate(void) {
    uint32_t first = inl(pm_port) & PM_TIMER_MASK, ticks;
    uint64_t tsc;
    if (pm_port == 0 || first == PM_TIMER_MASK) {
        return 0;
    }
    uint32_t spins = 0;
    do {
        ticks = ((inl(pm_port) & PM_TIMER_MASK) - pm_start) & PM_TIMER_MASK;
        tsc = rdtsc();
    } while (ticks < PM_MIN_TICKS && ++spins < 10000000);
    return ticks < PM_MIN_TICKS ? 0 : mul_div(tsc - pm_tsc, PM_TIMER_HZ, ticks);
}

// Channel 2 of the 8254, gate on, speaker off: 5 ms counted down once.
static uint64_t pit_rate(void) {
    uint32_t count = PIT_HZ / 200, spins = 0;
    outb(0x61, (inb(0x61) & ~2) | 1);
    outb(0x43, 0xb0);
    outb(0x42, count & 0xff);
    outb(0x42, count >> 8);
    uint64_t start = rdtsc();
    while (!(inb(0x61) & 0x20) && ++spins < 10000000) {
    }
    return (rdtsc() - start) * 200;
}

void time_calibrate(void) {
    uint64_t hz;
    if (plausible(hz = cpuid_rate())) {
        set_rate(hz, "cpuid 15h");
        refined = true;
    } else if (plausible(hz = hypervisor_rate())) {
        set_rate(hz, "hypervisor");
        refined = true;
    } else if (plausible(hz = pm_rate())) {
        set_rate(hz, "pm timer");
    } else if (plausible(hz = pit_rate())) {
        set_rate(hz, "pit");
        refined = true;
    } else {
        tsc_source = "unknown";
        refined = true;
    }
}

// Secure TSC: the secure processor sets counter and rate, and the secrets page says by how much the mean is below the nominal one.
// Source: AMD64 APM volume 2, 15.36.18; SEV-SNP firmware ABI (AMD 56860), secrets page, TSC_FACTOR in units of 0.001 %.
void time_secure(void) {
    if (!(sev_status & STATUS_SECURE_TSC) || !ghcb_live) {
        return;
    }
    uint64_t hz = (rdmsr(MSR_GUEST_TSC_FREQ) & 0x3ffff) * 1000000;
    const uint32_t *secrets = (const uint32_t *)sev_secrets;
    uint64_t factor = secrets[0] >= SECRETS_WITH_FACTOR ? secrets[SECRETS_TSC_FACTOR / 4] : 0;
    if (!plausible(hz) || factor >= 100000) {
        host_broke("no rate of the Secure TSC: %lu Hz, factor %lu", hz, factor);
    }
    set_rate(hz - mul_div(hz, factor, 100000), "secure tsc");
    refined = true;
}

uint64_t time_measure_hz(uint64_t count, uint64_t tsc_delta) {
    return tsc_delta == 0 ? 0 : mul_div(count, tsc_hz, tsc_delta);
}

uint64_t clock_ns(void) {
    return base_ns + scale(rdtsc() - base_tsc);
}

int64_t clock_wall_ns(void) {
    return wall_offset_ns + (int64_t)clock_ns();
}

void clock_set_wall_ns(int64_t ns) {
    wall_offset_ns = ns - (int64_t)clock_ns();
}

// Once, when there is time: the PM timer over a span long enough for parts in a hundred thousand. Its 24 bits wrap
// after 4.7 s, so a span that grew too long starts again.
static void refine(void) {
    uint64_t span = scale(rdtsc() - pm_tsc);
    if (span < PM_REFINE_NS) {
        return;
    }
    if (span > 10 * PM_REFINE_NS) {
        time_first_sample();
        return;
    }
    uint64_t hz = pm_rate();
    if (plausible(hz)) {
        set_rate(hz, tsc_source);
    }
    refined = true;
}

// hlt, with interrupts on from it on.
static void halt(uint64_t now) {
    idles = true;
    sti_hlt();
    idles = false;
    idle_ns += clock_ns() - now;
}

uint64_t cpu_idle_ns(void) {
    return idle_ns;
}

bool cpu_idles(void) {
    return idles;
}

void idle_wake(void) {
    wake_pending = true;
}

// Bare mode: interrupts bring input and deadlines; after one that wakes nobody (the profiler's) we sleep on. The check and
// the hlt must not be torn apart by an interrupt, so it runs with interrupts off until the very hlt.
static void idle_bare(uint64_t deadline_ns) {
    cli();
    for (uint64_t now; !wake_pending && (now = clock_ns()) < deadline_ns; cli()) {
        timer_by(deadline_ns);
        halt(now);
    }
    wake_pending = false;
    sti();
}

// Firmware mode: its timer tick ends every hlt; the line is polled in between.
static void idle_firmware(uint64_t deadline_ns) {
    serial_poll();
    uint64_t now = clock_ns();
    if (!wake_pending && now < deadline_ns) {
        halt(now);
        serial_poll();
    }
    wake_pending = false;
}

void cpu_idle_until(uint64_t deadline_ns) {
    if (!refined) {
        refine();
    }
    if (boot_services_alive()) {
        idle_firmware(deadline_ns);
    } else {
        idle_bare(deadline_ns);
    }
}
