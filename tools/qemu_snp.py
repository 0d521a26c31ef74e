#!/usr/bin/env python3
"""Run keelback.efi in an SEV-SNP guest of QEMU, on a host that can (make qemu-snp, make qemu-snp-disk).

    tools/qemu_snp.py --kernel FILE [--append WORDS]    direct boot: the firmware's hash table binds FILE and WORDS to the measurement
    tools/qemu_snp.py --volume FILE                     from a disk image, which the measurement does not cover
    tools/qemu_snp.py --check                           only say whether this host can

Takes qemu.py's settings but for ACCEL (KVM), and POLICY, the guest's policy. Where the host cannot, one line says all that is
missing. Leaves out: ID blocks and host data, which QEMU takes as further properties of its object sev-snp-guest.
Source: QEMU's documentation of AMD memory encryption and of the object sev-snp-guest; OVMF's AmdSev build.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

import qemu
import snphost
import snpfirmware

OLDEST_QEMU = (9, 1)   # the first with an object sev-snp-guest
PHYS_BITS_LOST = 1     # what a guest sees in CPUID 8000_001F EBX[11:6]; KVM asks for at least 1
CPU = "EPYC-v4"        # a model, not "host": its signature is part of the measurement
EMULATOR = "make qemu-snp-emu needs none of it"


@dataclasses.dataclass
class SnpOptions(qemu.Options):
    """What to run as an SEV-SNP guest. With kernel, that and its load options are measured; a volume never is.

    policy: as SNP_LAUNCH_START takes it; root: where /proc, /sys and /dev are.
    """

    ovmf: str = None
    policy: str = "0x30000"  # SMT allowed, bit 17 must be 1; no debugging, no migration
    root: pathlib.Path = pathlib.Path("/")

    SETTINGS = (*(name for name in qemu.Options.SETTINGS if name != "accel"), "policy")
    VIRTIO = ",disable-legacy=on,iommu_platform=on"  # the device reaches only what the guest shares

    def firmware(self):
        """Return the firmware's file: of the name's folder where fetch.py links, or the one that is given. Raises QemuError."""
        name = self.ovmf or ("amdsev" if self.kernel else "ovmf2025")
        path = pathlib.Path(name)
        if "/" not in name and not path.exists():
            path = qemu.BUILD / "firmware" / name / "OVMF.fd"
        if not path.exists():
            raise qemu.QemuError(f"no firmware {path}; tools/fetch.py amdsev ovmf2025 fetches two, OVMF=FILE gives another")
        try:
            snpfirmware.check(path.read_bytes(), bool(self.kernel))
        except ValueError as e:
            raise qemu.QemuError(f"the firmware {path} {e}")
        return path

    def _machine(self):
        guest = f"sev-snp-guest,id=sev0,cbitpos={snphost.c_bit(self.root)},reduced-phys-bits={PHYS_BITS_LOST},policy={self.policy}"
        return ["-machine", f"{self.machine},confidential-guest-support=sev0,memory-backend=ram1,vmport=off",
                "-accel", self.accel or "kvm", "-cpu", self.cpu or CPU, "-smp", str(self.smp), "-m", str(self.mem),
                "-object", f"memory-backend-memfd,id=ram1,size={self._bytes()},share=on,prealloc=off,reserve=off",
                "-object", guest + (",kernel-hashes=on" if self.kernel else ""), "-bios", str(self.firmware())]

    def _random(self):
        return []  # RDRAND and RDSEED are the processor's; what the host calls random is worth nothing here


def missing(options, early):
    """Return all that keeps the host from running such a guest, a few words each; early: firmware of ours is not fetched yet."""
    found = [*snphost.missing(options.root), *filter(None, [qemu_missing(options.qemu)])]
    try:
        if options.ovmf or not early:
            options.firmware()
    except qemu.QemuError as e:
        found.append(str(e))
    return found


def qemu_missing(program):
    """Return what keeps a QEMU from running an SEV-SNP guest, or None."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired) as e:
        return f"{program} cannot be run ({getattr(e, 'strerror', None) or 'no answer'})"
    found = re.search(r"version (\d+)\.(\d+)", said)
    if not found or tuple(map(int, found.groups())) < OLDEST_QEMU:
        return f"{program} is version {found[0].split()[1] if found else 'unknown'}, {'.'.join(map(str, OLDEST_QEMU))} or later is needed"
    objects = subprocess.run([program, "-object", "help"], capture_output=True, text=True, timeout=20).stdout
    return None if "sev-snp-guest" in objects.split() else f"{program} was built without sev-snp-guest"


def main():
    parser = qemu.argument_parser(__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether this host can")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), help="where /proc, /sys and /dev are")
    args = parser.parse_args()
    os.environ.setdefault("NET", "user")
    options = SnpOptions.from_environment(volume=args.volume, kernel=args.kernel, append=args.append, root=args.root,
                                          forwards=qemu.free_forwards(qemu.FORWARDS), paused=args.gdb,
                                          gdb="127.0.0.1:1234" if args.gdb else None)
    lacking = [] if args.print else missing(options, args.check)
    if lacking:
        sys.exit(f"qemu-snp: this host cannot run an SEV-SNP guest: {'; '.join(lacking)}; {EMULATOR}")
    if not args.check:
        qemu.run(options, args.print)


if __name__ == "__main__":
    main()
