"""Where tests find the tree and what was built of it, and how they write a folder of files.

A module apart from conftest.py: of that name there are several, and which of them an import gets depends on what pytest has read last.
"""

import pathlib

import qemu

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent
BUILD = qemu.BUILD
EFI = BUILD / "keelback.efi"
MICROPYTHON = BUILD / "unix" / "micropython"


def write_files(folder, files):
    """Write {path: text or bytes} into a new folder and return that."""
    folder.mkdir()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder
