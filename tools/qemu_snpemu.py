#!/usr/bin/env python3
"""Run an EFI executable as an SEV-SNP guest of our emulator, on any host (make qemu-snp-emu).

    tools/qemu_snpemu.py TARGET.efi [--setting NAME=VALUE ...] [FOLDER ...]

Makes a boot volume with the emulator where UEFI looks for it, the target, snpemu.cfg and the content of the folders. Takes qemu.py's
settings; docs/emulator.md has the emulator's. The emulator's log goes to QEMU's debug console, here a file (LOG, or none).
"""

import dataclasses
import os
import pathlib
import shutil
import sys
import tempfile

import image
import qemu

EMULATOR = qemu.BUILD / "snpemu.efi"


@dataclasses.dataclass
class EmulatorOptions(qemu.Options):
    """What to run, with defaults that the emulator can live with: a processor with SVM and 48 address bits."""

    cpu: str = "EPYC,phys-bits=48,check=off"
    mem: str = "512M"
    accel: str = "tcg"  # KVM wants an AMD host with nested virtualization, and nobody has tried it

    VIRTIO = ",disable-legacy=on,iommu_platform=on"  # as real ones are: what the device reaches is shared


def make_volume(out, target, settings=(), folders=()):
    """Make the boot volume out (a folder) and return its path. settings: lines of snpemu.cfg."""
    with tempfile.TemporaryDirectory() as made:
        made = pathlib.Path(made)
        (made / "snpemu.cfg").write_text("".join(f"{line}\n" for line in settings))
        shutil.copyfile(target, made / "target.efi")
        image.make_folder(out, EMULATOR, [*folders, made])
    return out


def main():
    parser = qemu.argument_parser(__doc__, volume=False)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE", help="a line of snpemu.cfg")
    parser.add_argument("target", type=pathlib.Path)
    parser.add_argument("folders", type=pathlib.Path, nargs="*")
    args = parser.parse_args()
    os.environ.setdefault("NET", "user")
    try:
        volume = make_volume(qemu.BUILD / "esp-snpemu", args.target, args.setting, args.folders)
    except (OSError, ValueError) as e:
        sys.exit(f"qemu-snp-emu: {e}")
    options = EmulatorOptions.from_environment(volume=volume, debugcon=os.environ.get("LOG"), forwards=qemu.free_forwards(qemu.FORWARDS),
                                               paused=args.gdb, gdb="127.0.0.1:1234" if args.gdb else None)
    qemu.run(options, args.print)


if __name__ == "__main__":
    main()
