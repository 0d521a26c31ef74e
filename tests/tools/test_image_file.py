"""The executable that make efi has built: small, reproducible, nothing of the building machine in it."""

import os
import pathlib
import struct

import pytest

import elf2efi
import qemu

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZE_LIMIT = 1_800_000  # bytes, with TLS and SSH in it


@pytest.fixture(scope="module")
def efi():
    path = qemu.BUILD / "keelback.efi"
    if not path.exists():
        pytest.skip("make efi has not been run")
    return path.read_bytes()


def test_size(efi):
    assert len(efi) <= SIZE_LIMIT


def test_no_path_of_the_machine(efi):
    for path in (ROOT, pathlib.Path.home(), (qemu.BUILD / "src" / "micropython").resolve()):
        assert len(str(path)) < 5 or os.fsencode(path) not in efi, path


def test_made_from_the_elf(efi):
    base = struct.unpack_from("<Q", efi, struct.unpack_from("<I", efi, 60)[0] + 48)[0]
    assert efi == elf2efi.convert((qemu.BUILD / "keelback.elf").read_bytes(), base)
