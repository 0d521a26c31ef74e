"""SEV-SNP: what it costs to be a guest of the emulator, against the same image on the same machine without it; and its exits.

Instructions are those of the whole machine, the emulator's own among them: they are the ratio's upper bound, as on hardware the
host's part of an exit is a processor's and a kernel's. The number of exits is the guest's own, and the same anywhere.
How often the guest came out, for what, and how long that took, the emulator tells (docs/emulator.md, `tally`).
"""
import contextlib
import functools
import pathlib
import re
import socket

import boot
import image
import netbulk
import netguests
import netns
import qemu
import qemu_snpemu
import rawrepl
from vm import Machine

PROGRAMS = ("bulk", "snpbulk")
LIMIT = 60      # s
REPORTS = 8
TALLY = """
import ghcb
ghcb.call(0x81, int.from_bytes(b"tally", "little"), 0, 0x534E5046, 0)
"""
# A fresh interpreter: what is shared once is shared by the first of them.
ASK = """
import cpu, ghcb
from sev.payload import EITHER
from shell import sevreport, snp
guest = snp.guest()
def report():
    return sevreport.Asked(guest, None, None, None, None, EITHER, None, None).text()
def ticks(ask):
    ask()
    start = cpu.rdtsc()
    for _ in range(%d):
        ask()
    return (cpu.rdtsc() - start) // %d
print(ticks(report), ticks(guest.tsc_info))
ghcb.call(0x81, int.from_bytes(b"tally", "little"), 0, 0x534E5046, 0)
report()
ghcb.call(0x81, int.from_bytes(b"tally", "little"), 0, 0x534E5046, 0)
guest.tsc_info()
ghcb.call(0x81, int.from_bytes(b"tally", "little"), 0, 0x534E5046, 0)
import clock
start = clock.ns()
for _ in range(%d):
    report()
print((clock.ns() - start) // %d)
""" % ((REPORTS,) * 4)


class Side(netguests.Keelback):
    """The image on the machine that the emulator wants, with the emulator or without."""

    def __init__(self, efi, folder, emulated):
        self.name, self.emulated = "keelback", emulated
        self.volume, files = pathlib.Path(folder) / f"esp-snp-{emulated:d}", pathlib.Path(folder) / "snp-files"
        self.log = self.volume.with_suffix(".log")
        files.mkdir(exist_ok=True)
        for name in PROGRAMS:
            (files / f"{name}.py").write_bytes((netguests.PROGRAMS / f"{name}.py").read_bytes())
        if emulated:
            qemu_snpemu.make_volume(self.volume, efi, folders=[files])
        else:
            image.make_folder(self.volume, pathlib.Path(efi), [files])

    @contextlib.contextmanager
    def boot(self, **options):
        with Machine(qemu_snpemu.EmulatorOptions(volume=self.volume, debugcon=self.log, accel="tcg", **options)) as vm:
            vm.wait_prompt()
            yield netguests.KeelbackGuest(vm)

    def tallies(self):
        """What the emulator told so far: [{(exit code, target): (count, ticks each)}, ...]."""
        told = self.log.read_text(errors="replace").split("tally: end")[:-1]
        found = re.compile(r"tally: (\d+) of exit (0x\w+) for (0x\w+), (\d+) ticks")
        return [{(int(code, 16), int(target, 16)): (int(count), int(ticks)) for count, code, target, ticks in found.findall(text)} for text in told]


# ---- what exits are for ----------------------------------------------------------------------------------------
MSR_PROTOCOL, CPUID, PORT, MSR, COUNTING, READ, WRITE = 0, 0x72, 0x7b, 0x7c, 0x81, 0x80000001, 0x80000002
PAGES, REQUEST, EXTENDED = 0x80000010, 0x80000011, 0x80000012
EVENTS = {MSR_PROTOCOL: "MSR protocol", CPUID: "CPUID", MSR: "MSR", PAGES: "page states", REQUEST: "guest requests", EXTENDED: "guest requests"}
PLACES = ((0xe0000000, 0xf0000000, "PCI configuration"), (0xfec00000, 0xfec01000, "IOAPIC"), (0xfee000b0, 0xfee000b4, "ends of interrupts"),
          (0xfee00320, 0xfee00324, "timer"), (0xfee00380, 0xfee003e4, "timer"), (0xfee00000, 0xfee01000, "local APIC"))
BELL = "card's registers"


def purpose(code, target):
    """In words, what an exit was for."""
    if code == PORT:
        return "console" if 0x3f8 <= target < 0x400 else "other ports"
    if code in (READ, WRITE):
        return next((name for start, end, name in PLACES if start <= target < end), BELL)
    return EVENTS.get(code, f"exit {code:#x}")


def by_purpose(tally):
    """{purpose: number of exits}, most first, without the count itself."""
    sums = {}
    for (code, target), (count, _) in tally.items():
        if code != COUNTING:
            sums[purpose(code, target)] = sums.get(purpose(code, target), 0) + count
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


# ---- figures ----------------------------------------------------------------------------------------------------
def boot_exits(side):
    """Exits up to the prompt, by purpose: what was told, less those of asking for it, by asking twice."""
    with side.boot(icount=0, sleep=True) as guest:
        guest.vm.send(rawrepl.ENTER)
        guest.vm.expect(rawrepl.BANNER, LIMIT)
        for _ in range(2):
            rawrepl.execute(guest.vm, TALLY)
    first, asking = (by_purpose(tally) for tally in side.tallies())
    left = {name: count - asking.get(name, 0) for name, count in first.items()}
    return {name: count for name, count in left.items() if count}


def report(side):
    """{figure: value} of a report, as `sev-report` shows it."""
    with side.boot(icount=0, sleep=True) as guest:
        (whole, tsc), _ = (line.split() for line in checked(guest.vm, ASK).splitlines())
        _, of_report, of_tsc = side.tallies()
    with side.boot() as guest:
        wall = int(checked(guest.vm, ASK).splitlines()[1])
    spent = of_report[REQUEST, 0][1]
    return {"report, instructions": int(whole), "report, of these the guest's": int(whole) - spent,
            "report, of these the emulator's signature": spent - of_tsc[REQUEST, 0][1], "report, ms": wall / 1e6,
            "report, exits": sum(by_purpose(of_report).values()), "TSC information, instructions": int(tsc)}


def checked(vm, script):
    printed, error = rawrepl.run(vm, script, LIMIT)
    if error:
        raise ValueError(error)
    return printed


def packets(side):
    """{"WAY, user" or "WAY, tap": (frames in, frames out, calls that sent, {purpose: exits})} of bulk data each way; a tap needs root."""
    port = qemu.free_forwards({80: 0})[80]
    connect = functools.partial(socket.create_connection, ("127.0.0.1", port), LIMIT)
    found = counted(side, connect, "user", net="user", forwards={80: port})
    if not netns.why():
        with netns.Cable() as cable:
            connect = functools.partial(cable.host.connect, (netguests.GUEST, 80), LIMIT)
            found |= counted(side, connect, "tap", net=f"tap:{netns.TAP}", prefix=cable.switch.prefix)
    return found


def counted(side, connect, over, **options):
    found = {}
    with side.boot(icount=0, sleep=True, **options) as guest, guest.serving("snpbulk"):
        for way, transfer in zip(netbulk.WAYS, (netbulk.upload, netbulk.download)):
            transfer(connect, 1 << 20)
            tell(connect)
            transfer(connect, netbulk.MIB << 20)
            found[f"{way}, {over}"] = (*tell(connect), by_purpose(side.tallies()[-1]))
    return found


def tell(connect):
    """Have the emulator tell, and return the frames received and sent since the last time, and the calls that sent."""
    with connect() as s:
        s.settimeout(LIMIT)
        s.sendall(b"t")
        return tuple(map(int, s.recv(100).split()))


def measure(efi, folder):
    """All figures: {"plain": {figure: value}, "emulated": ..., "boot": exits by purpose, "packets": as packets(), "report": ...}."""
    plain, emulated = Side(efi, folder, False), Side(efi, folder, True)
    figures = {"boot": boot_exits(emulated), "report": report(emulated), "packets": packets(emulated)}
    for name, side in (("plain", plain), ("emulated", emulated)):
        figures[name] = {"instructions": netbulk.over_user(side, icount=0, sleep=True), "wall": netbulk.over_user(side)}
    return figures


# ---- as text ---------------------------------------------------------------------------------------------------
LINE = "{:48} {:>14} {:>14} {:>8}   {}"


def lines(figures):
    yield LINE.format("SEV-SNP", "without", "on emulator", "ratio", "wanted")
    for what, unit, more in (("instructions", "a byte", False), ("wall", "MB/s", True)):
        for way, alone in figures["plain"][what].items():
            guest = figures["emulated"][what][way]
            yield LINE.format(f"bulk {way}, {unit}", f"{alone:.3f}", f"{guest:.3f}", f"{alone / guest if more else guest / alone:.2f}", "")
    for name, value in figures["report"].items():
        wanted = ("at most 3" + ("" if value <= 3 else " - NOT MET")) if name == "report, exits" else ""
        yield LINE.format(name, "-", f"{value:.1f}" if "ms" in name.split() else f"{value}", "-", wanted)
    for way, counts in figures["packets"].items():
        yield from packet_lines(way, *counts)
    yield LINE.format("exits of a boot", "-", sum(figures["boot"].values()), "-", "")
    yield from (LINE.format(f"    {name}", "-", count, "-", "") for name, count in figures["boot"].items())


def packet_lines(way, received, sent, calls, exits):
    """A batch is what one interrupt brings, or one call of the program sends. An interrupt's end is one exit, telling the card one more;

    a tenth of them may be told in two parts, where a read comes between.
    """
    bells, interrupts = exits.get(BELL, 0), exits.get("ends of interrupts", 1)
    frames = received + sent
    met = bells <= 1.1 * (interrupts + calls)
    yield LINE.format(f"{way}: frames in, out", "-", f"{received}, {sent}", "-", "")
    yield LINE.format(f"{way}: interrupts, calls that send, doorbells", "-", f"{interrupts}, {calls}, {bells}", "-", "a doorbell a batch" + ("" if met else " - NOT MET"))
    yield LINE.format(f"{way}: all exits, of 100 frames", "-", f"{100 * sum(exits.values()) / frames:.2f}", "-", "")
