#!/usr/bin/env python3
"""Make a boot volume: the executable where UEFI looks for it, and the user's files beside it.

    tools/image.py OUT IN.efi [FOLDER ...]

OUT is made as a FAT32 disk image if its name ends in .img, else as a folder (which QEMU serves as a FAT disk).
Source: UEFI 2.10, 3.5.1.1 (removable media boot).
"""

import os
import pathlib
import shutil
import sys
import tempfile

import fat

BOOT_PATH = "EFI/BOOT/BOOTX64.EFI"


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__.split("\n\n")[1])
    out, efi, *folders = map(pathlib.Path, sys.argv[1:])
    try:
        if out.suffix == ".img":
            make_image(out, efi, folders)
        else:
            make_folder(out, efi, folders)
    except (OSError, ValueError) as e:
        sys.exit(f"image: {e}")


def make_folder(out, efi, folders=()):
    """Make the folder out with the executable and the content of the folders; what was in it goes."""
    shutil.rmtree(out, ignore_errors=True)
    target = pathlib.Path(out) / BOOT_PATH
    target.parent.mkdir(parents=True)
    for folder in folders:
        shutil.copytree(folder, out, dirs_exist_ok=True)
    shutil.copy2(efi, target)
    for made in (target.parent, target.parent.parent):
        os.utime(made, (os.stat(efi).st_mtime,) * 2)


def make_image(out, efi, folders=()):
    """Make the disk image out with the same content."""
    with tempfile.TemporaryDirectory() as folder:
        make_folder(folder, efi, folders)
        fat.write(out, folder)


if __name__ == "__main__":
    main()
