#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measure Keelback beside MicroPython in a Linux guest, and print a table of figures and ratios.

    tools/measure.py [PART ...] [--json FILE] [--runs N]

Parts: boot wall size memory idle smallest, perf micro gcbench strings, http http_wall bulk bulk_wall udp ping first_ping
ssh net_idle, snp (no Linux beside it); all of them by default, "net" for those of the network. The Linux guest does not change, so its figures are kept in
BUILD/bench-linux.json under a hash of what made them, but for wall times of the network; --linux measures them anew.
BULK=MIB sets how much the bulk parts transfer each way (64; 1024 is the project's own measure).
QEMU, OVMF and the rest are taken from the environment as tools/qemu.py says; acceleration is always TCG.
What is counted, and how: docs/bench.md.
"""
import argparse
import functools
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "tests/bench")]
import boot  # noqa: E402
import interpreter  # noqa: E402
import netbulk  # noqa: E402
import netguests  # noqa: E402
import network  # noqa: E402
import qemu  # noqa: E402
import snp  # noqa: E402
import table  # noqa: E402
from linuxguest import LinuxGuest  # noqa: E402

BOOT_PARTS = ("boot", "wall", "size", "memory", "idle", "smallest")
PARTS = BOOT_PARTS + interpreter.SUITES + tuple(network.PARTS) + ("snp",)
SEARCH_HIGH = 256       # MiB; both sides boot with it


class Bench:
    """Everything that both sides share. build: the build folder; micropython: its source tree; runs: for a median."""

    def __init__(self, build, micropython, runs):
        self.build, self.micropython, self.runs = pathlib.Path(build), pathlib.Path(micropython), runs
        self.folder = self.build / "bench"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.guest = LinuxGuest(build, micropython)
        self.keelback = functools.cache(lambda: boot.keelback(self.build / "keelback.efi", self.folder))
        self.linux = functools.cache(lambda: boot.linux(self.guest, self.folder))
        self.net_keelback = functools.cache(lambda: netguests.Keelback(self.build / "keelback.efi", self.folder))
        self.net_linux = functools.cache(lambda: netguests.Linux(self.guest))

    def boot_part(self, part, system):
        """The figures of one part of BOOT_PARTS: {name of table.BOOT: figure}."""
        if part == "boot":
            figures = {"instructions": boot.median(lambda: boot.instructions(system), self.runs)}
            return figures | (self._chart() if system.name == "keelback" else {})
        if part == "size":
            return {"image": system.efi.stat().st_size}
        if part == "idle":
            return {"idle": boot.median(lambda: boot.idle(system), self.runs)}
        if part == "smallest":
            return {"smallest_memory": boot.smallest_memory(system, high=SEARCH_HIGH)}
        if part == "memory":
            return self._memory(system)
        wall, _ = boot.median(lambda: boot.wall_and_rss(system), self.runs)
        return {"wall": wall}

    def _memory(self, system):
        _, rss = boot.median(lambda: boot.wall_and_rss(system), self.runs)
        _, alone = boot.median(lambda: boot.wall_and_rss(boot.nothing(self.folder)), self.runs)
        used = {"used": boot.guest_report(system)["used"]} if system.name == "keelback" else {}
        return {"rss_above_firmware": rss - alone, **used}

    def _chart(self):
        return {"chart": boot.guest_report(self.keelback())["chart"]}

    def side(self, parts, system, run_suites, net):
        """All figures of one side: {"boot": {...}, suite: {...}, part of the network: {...}}."""
        figures = {}
        for part in (p for p in BOOT_PARTS if p in parts):
            say(f"{system().name}: {part}")
            figures.setdefault("boot", {}).update(self.boot_part(part, system()))
        suites = [suite for suite in interpreter.SUITES if suite in parts]
        if suites:
            say(f"{system().name}: {' '.join(suites)}")
            figures.update(run_suites(suites))
        for part in (p for p in network.PARTS if p in parts):
            say(f"{net().name}: {part}")
            figures[part] = network.PARTS[part](net())
        return figures

    def measure_keelback(self, parts):
        return self.side(parts, self.keelback, lambda suites: interpreter.in_keelback(
            self.keelback().volume, suites, self.micropython), self.net_keelback)

    def measure_linux(self, parts):
        return self.side(parts, self.linux, lambda suites: interpreter.in_linux(self.guest, suites, self.micropython), self.net_linux)

    def linux_key(self):
        """A hash of what the Linux figures depend on: image, interpreter, scripts, QEMU, firmware and settings."""
        settings = qemu.Options.from_environment(volume=self.folder, icount=0, mem=boot.MEM)
        version = subprocess.run([settings.qemu, "--version"], stdout=subprocess.PIPE, check=True).stdout
        parts = [version, json.dumps([settings.ovmf, settings.machine, settings.cpu, settings.smp, self.runs]).encode()]
        parts += [self.linux().efi.read_bytes(), self.guest.interpreter().read_bytes()]
        parts += [script.encode() for _, script in sorted(interpreter.collect(interpreter.SUITES, self.micropython).items())]
        parts += [(netguests.PROGRAMS / name).read_bytes() for name in ("init.c", *(f"{n}.py" for n in netguests.NAMES))]
        parts += [str(netbulk.MIB).encode()]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    def cached_linux(self, parts, again):
        """The Linux figures for parts, from the cache where they are there."""
        path = self.build / "bench-linux.json"
        key = self.linux_key()
        kept = json.loads(path.read_text()) if path.exists() and not again else {}
        kept = kept if kept.get("key") == key else {"key": key, "parts": [], "figures": {}}
        missing = [part for part in parts if part not in kept["parts"] or part in network.FRESH]
        for name, figures in self.measure_linux(missing).items():
            kept["figures"].setdefault(name, {}).update(figures)
        kept["parts"] = sorted({*kept["parts"], *missing})
        path.write_text(json.dumps(kept, indent=1))
        return kept["figures"]


def only(parts, figures):
    """Leave out of the kept figures what was not asked for."""
    wanted = set(parts) | ({"boot"} if set(parts) & set(BOOT_PARTS) else set())
    return {name: values for name, values in figures.items() if name in wanted}


def snp_part(bench):
    """Measure and print what SEV-SNP costs. -> the figures"""
    say("keelback: snp")
    figures = snp.measure(bench.build / "keelback.efi", bench.folder)
    print("\n".join(["", *snp.lines(figures)]))
    return figures


def say(text):
    print(text, file=sys.stderr, flush=True)


def arguments():
    build = os.environ.get("BUILD") or ROOT / "build"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=" ".join(PARTS))
    parser.add_argument("--build", type=pathlib.Path, default=build, help="build folder")
    parser.add_argument("--json", type=pathlib.Path, help="write all figures there")
    parser.add_argument("--runs", type=int, default=3, help="boots for one median")
    parser.add_argument("--linux", action="store_true", help="measure the Linux guest anew")
    args = parser.parse_args()
    args.parts = [part for given in args.parts for part in (network.PARTS if given == "net" else [given])]
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {' '.join(sorted(unknown))}")
    return args


def main():
    args = arguments()
    os.environ["ACCEL"] = "tcg"
    build = pathlib.Path(args.build).resolve()
    micropython = os.environ.get("MICROPYTHON_DIR") or build / "src/micropython"
    parts = args.parts or list(PARTS)
    bench = Bench(build, micropython, args.runs)
    both = [part for part in parts if part != "snp"]
    linux = only(both, bench.cached_linux(both, args.linux)) if both else {}
    ours = bench.measure_keelback(both)
    if both:
        print(table.render(linux, ours))
    confidential = snp_part(bench) if "snp" in parts else {}
    if args.json:
        means = {suite: table.geometric_mean(table.ratios(linux[suite], ours[suite]).values())
                 for suite in interpreter.SUITES if suite in ours}
        args.json.write_text(json.dumps({"linux": linux, "keelback": ours, "snp": confidential, "geometric_means": means}, indent=1))
    sys.exit(1 if table.failures(linux, ours) else 0)


if __name__ == "__main__":
    main()
