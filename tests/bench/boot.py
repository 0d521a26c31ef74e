"""Boots: what they cost in instructions, time and memory, up to a prompt.

A System is a boot volume and the prompt that ends its boot. All counting starts when the firmware's line
`BdsDxe: starting ...` is complete, at the moment the firmware is about to start the image.
"""
import dataclasses
import pathlib
import statistics
import struct
import time

import image
import qemu
import rawrepl
from vm import BOOT_LIMIT, PROMPT, Machine, VMError

STARTING = rb"BdsDxe: starting[^\n]*\n"
LOADING = rb"BdsDxe: loading[^\n]*\n"
MEM = "256M"            # for everything but the search for the smallest
IDLE_TIME = 10          # s
SEARCH_LIMIT = 60       # s for a boot with little memory; a healthy one takes a fifth of it
REPORT = """import clock, cpu, mem
_, total, free, _ = mem.info()
phases = clock.chart()
clock.mark("report")
print(total - free, cpu.rdtsc() - clock.chart()[-1][1], sep="\\t")
for phase in phases:
    print(*phase, sep="\\t")
"""


@dataclasses.dataclass
class System:
    """volume: a folder to boot from; prompt: a regular expression for the console's end; efi: the image, for its size."""

    name: str
    volume: pathlib.Path
    prompt: bytes
    efi: pathlib.Path


def system(name, efi, prompt, folder):
    """Lay out a boot volume for an executable."""
    volume = pathlib.Path(folder) / f"esp-{name}"
    image.make_folder(volume, pathlib.Path(efi))
    return System(name, volume, prompt, pathlib.Path(efi))


def keelback(efi, folder):
    return system("keelback", efi, PROMPT, folder)


def linux(guest, folder):
    """The unified kernel image of linuxguest.py, which ends at MicroPython's own prompt."""
    return system("linux", guest.boot_image(), rb"\n>>> \Z", folder)


def nothing(folder):
    """An executable that halts: the firmware alone, for comparison."""
    folder = pathlib.Path(folder)
    efi = folder / "halt.efi"
    efi.write_bytes(halting_image())
    return system("halt", efi, STARTING, folder)


def halting_image():
    """The smallest executable that UEFI starts: `hlt` in a loop. Source: PE/COFF specification, revision 11."""
    code = b"\xf4\xeb\xfd"                                                  # hlt; jmp to it
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)                         # e_lfanew
    coff = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x22e)          # x86-64, one section, executable
    optional = struct.pack("<HBBIIIIIQII", 0x20b, 0, 0, 512, 0, 0, 0x1000, 0x1000, 0x10000000, 0x1000, 512)
    optional += struct.pack("<HHHHHHIIIIHH", 0, 0, 0, 0, 0, 0, 0, 0x2000, 512, 0, 10, 0)    # EFI application
    optional += struct.pack("<QQQQII", 0, 0, 0, 0, 0, 16) + bytes(16 * 8)
    section = struct.pack("<8sIIIIIIHHI", b".text", 512, 0x1000, 512, 512, 0, 0, 0, 0, 0x60000020)
    headers = dos + b"PE\0\0" + coff + optional + section
    return headers.ljust(512, b"\0") + code.ljust(512, b"\0")


def machine(of, **given):
    return Machine(qemu.Options.from_environment(volume=of.volume, **{"mem": MEM, **given}))


def instructions(of):
    """Guest instructions from the firmware's line to the prompt, in one boot."""
    with machine(of, icount=0, sleep=True) as vm:
        start, end = counted_boot(vm, of)
        return end - start


def counted_boot(vm, of):
    """The instruction counts at the firmware's line and at the prompt.

    A guest runs on while the host reads its line, some hundred thousand instructions; QEMU's single-step mode around
    that line makes it a few thousand. The prompt needs no such care: the guest halts there, for a while at least, which is real time (sleep=on).
    """
    vm.expect(LOADING, BOOT_LIMIT)
    single_step(vm, "on")
    vm.expect(STARTING, BOOT_LIMIT)
    start = icount(vm)
    single_step(vm, "off")
    vm.expect(of.prompt, BOOT_LIMIT)
    return start, icount(vm)


def icount(vm):
    return vm.qmp("query-replay")["icount"]


def single_step(vm, state):
    """One instruction per translated block, or many. QEMU 8.1 renamed the monitor's command."""
    for name in ("one-insn-per-tb", "singlestep"):
        if "unknown command" not in vm.qmp("human-monitor-command", command_line=f"{name} {state}"):
            return
    raise VMError("QEMU's monitor knows no command for single-stepping")


def wall_and_rss(of):
    """(ms from the firmware's line to the prompt, bytes resident in QEMU there), without counting instructions."""
    with machine(of) as vm:
        vm.expect(STARTING, BOOT_LIMIT)
        start = time.monotonic()
        if of.prompt != STARTING:
            vm.expect(of.prompt, BOOT_LIMIT)
        elapsed = time.monotonic() - start
        time.sleep(1)                   # let the guest come to rest
        return elapsed * 1000, vm.rss()


def idle(of):
    """Share of a host core that QEMU uses while the guest waits at its prompt, in percent."""
    with machine(of) as vm:
        vm.expect(of.prompt, BOOT_LIMIT)
        time.sleep(2)
        before = vm.cpu_time()
        time.sleep(IDLE_TIME)
        return 100 * (vm.cpu_time() - before) / IDLE_TIME


def boots_with(of, mebibytes):
    try:
        with machine(of, mem=f"{mebibytes}M", reboot=False) as vm:
            vm.expect(of.prompt, SEARCH_LIMIT)
            return True
    except VMError:
        return False


def smallest_memory(of, low=32, high=256):
    """The least QEMU -m, in MiB, that boots; low is taken to fail and high to work."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if boots_with(of, middle) else (middle, high)
    return high


def guest_report(of):
    """Keelback's own figures: {"chart": [[phase, instructions at its end]...], "used": bytes of memory at the prompt}.

    The guest's chart begins at its entry; the firmware's loading of the file stands before it, the shell behind it. Under
    icount the TSC counts instructions since power-on, so that both clocks are one.
    """
    with machine(of, icount=0) as vm:
        start, end = counted_boot(vm, of)
        vm.send(rawrepl.ENTER)          # rawrepl.run() would start a fresh interpreter, whose start the chart shows
        vm.expect(rawrepl.BANNER, 30)
        output, error = rawrepl.execute(vm, REPORT)
        if error:
            raise VMError(error)
    (used, entry), *rows = (line.split("\t") for line in output.splitlines())
    loaded = int(entry) - start
    chart = [["load (firmware)", loaded], *([name, loaded + int(tsc)] for name, tsc in rows), ["shell", end - start]]
    return {"chart": chart, "used": int(used)}


def median(measure, times):
    """Median of a measurement taken several times; of each part, if it gives several figures."""
    samples = [measure() for _ in range(times)]
    if isinstance(samples[0], tuple):
        return tuple(map(statistics.median, zip(*samples)))
    return statistics.median(samples)
