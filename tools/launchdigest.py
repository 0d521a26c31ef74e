#!/usr/bin/env python3
"""Print the launch measurements that a report of keelback.efi has to show, for 1 to 8 vCPUs (make measure).

    tools/launchdigest.py --kernel FILE [--append WORDS] [--root DIR]

For make qemu-snp: firmware, executable, load options and the processors' first state. For make qemu-snp-disk: the same without
executable and options, which are not measured there. For make qemu-snp-emu: the executable alone. Settings as qemu_snp.py has
them: OVMF, CPU.
Source: sev-snp-measure of PyPI, which follows QEMU, KVM and the secure processor's firmware.
"""

import pathlib
import sys

import qemu
import snphost
from qemu_snp import CPU, SnpOptions
from sevsnpmeasure import gctx, guest, vcpu_types
from sevsnpmeasure.sev_mode import SevMode

GUEST_FEATURES = 1  # SEV_FEATURES of the first processors' state as QEMU sets it: SNP, nothing else
VCPUS = range(1, 9)
PAGE = 4096


def main():
    parser = qemu.argument_parser(__doc__)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path("/"), help="where /proc is, for CPU=host")
    args = parser.parse_args()
    try:
        direct = SnpOptions.from_environment(kernel=args.kernel, append=args.append, root=args.root)
        disk = SnpOptions.from_environment(volume=args.kernel, root=args.root)
        for name, options in (("qemu-snp", direct), ("qemu-snp-disk", disk)):
            print(f"make {name}: {', '.join(described(options))}")
            for vcpus in VCPUS:
                print(f"SMP={vcpus} {digest(options, vcpus).hex()}")
        print(f"make qemu-snp-emu: {args.kernel}")
        print(emulated(args.kernel).hex())
    except (qemu.QemuError, OSError) as e:
        sys.exit(f"measure: {e}")


def described(options):
    """Return what is measured, in words."""
    words = [f"firmware {options.firmware()}"]
    if options.kernel:
        words += [str(options.kernel), f"load options {options.append!r}"]
    cpu = options.cpu or CPU
    return [*words, f"CPU {cpu} ({signature(cpu, options.root):#x})", f"guest features {GUEST_FEATURES:#x}"]


def digest(options, vcpus):
    """Return the 48 bytes of MEASUREMENT for so many processors. Raises QemuError, OSError."""
    return guest.calc_launch_digest(SevMode.SEV_SNP, vcpus, signature(options.cpu or CPU, options.root), str(options.firmware()),
                                    options.kernel and str(options.kernel), None, options.append, GUEST_FEATURES)


def emulated(path):
    """Return the 48 bytes of MEASUREMENT of an executable on our emulator: its file's pages, from address 0 on."""
    content = pathlib.Path(path).read_bytes()
    launch = gctx.GCTX()
    launch.update_normal_pages(0, content + bytes(-len(content) % PAGE))
    return launch.ld()


def signature(cpu, root):
    """Return CPUID 1 EAX of a model of QEMU's, or of the host's own processor. Raises QemuError."""
    model = cpu.split(",")[0]
    if model == "host":
        info = snphost.cpu_info(root)
        try:
            return vcpu_types.cpu_sig(*(int(info[name]) for name in ("cpu family", "model", "stepping")))
        except (KeyError, ValueError):
            raise qemu.QemuError("CPU=host: /proc/cpuinfo does not tell this processor's family, model and stepping")
    if model not in vcpu_types.CPU_SIGS:
        raise qemu.QemuError(f"CPU={model} has no known signature; there are host, {', '.join(sorted(vcpu_types.CPU_SIGS))}")
    return vcpu_types.CPU_SIGS[model]


if __name__ == "__main__":
    main()
