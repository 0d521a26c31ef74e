"""A guest that breaks one rule of SEV-SNP: the emulator names it, and ends the guest as hardware would, or answers as hardware does.

offender.c is the guest; it shares nothing with the emulator but the specification.
"""

import pathlib
import re
import subprocess
import sys

import pytest

import qemu_snpemu
from vm import Machine

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
FLAGS = ("-std=gnu11 -O1 -fpie -ffreestanding -fno-stack-protector -fcf-protection=none -mno-red-zone -mgeneral-regs-only -fshort-wchar "
         "-fno-asynchronous-unwind-tables -DGNU_EFI_USE_MS_ABI -I/usr/include/efi -I/usr/include/efi/x86_64 -Wall -Werror -static-pie -nostdlib "
         "-Wl,-T,sev/emulator/snpemu.lds -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,norelro -Wl,--no-warn-rwx-segments").split()

ENDED = {  # offence: what the emulator says; it ends the guest
    "read-shared-as-private": "violation: read with C=1 of page 0x[0-9a-f]+, which is shared",
    "write-private-as-shared": "violation: write with C=0 of page 0x[0-9a-f]+, which is private",
    "pvalidate-shared": "violation: PVALIDATE of page 0x[0-9a-f]+, which is shared",
    "ghcb-private": "violation: VMGEXIT, and the GHCB at 0x[0-9a-f]+ is private",
    "ghcb-unregistered": r"violation: VMGEXIT, and the GHCB at 0x[0-9a-f]+ is not registered \(0x[0-9a-f]+ is\)",
    "request-private": "violation: guest request, and page 0x[0-9a-f]+ or 0x[0-9a-f]+ is not shared",
    "no-handler": "violation: exit 0x72, but the guest has no #VC handler",
    "read-emulator": "violation: read with C=1 of page 0x[0-9a-f]+, which is the emulator's",
    "write-vmsa": "RMPADJUST as documented\r?\n(?s:.*)violation: write with C=1 of page 0x[0-9a-f]+, which is a VMSA",
    "end-itself": "the guest asks to be ended: reason set 1, code 5",
}
ANSWERED = {  # offence: what the guest prints; it goes on
    "read-unvalidated": "#VC 404",
    "validate-twice": "CF says so",
    "share-emulator": "refused",
    "instructions": "cpuid\nrdmsr\nwbinvd\nin\ndr7\nvmmcall\nmmio",
    "bad-usage": "unknown event\nbad value\none page for both",
}


@pytest.fixture(scope="session")
def offender(tmp_path_factory):
    """The guest, built."""
    folder = tmp_path_factory.mktemp("offender")
    subprocess.run(["cc", *FLAGS, "-o", folder / "offender.elf", HERE / "offender.c"], cwd=ROOT, check=True)
    subprocess.run([sys.executable, ROOT / "tools/elf2efi.py", folder / "offender.elf", folder / "offender.efi"], check=True)
    return folder / "offender.efi"


def commit(offender, folder, offences):
    """Run the guest, which commits some offences, until the emulator has ended it, and return the log."""
    volume = qemu_snpemu.make_volume(folder / "volume", offender, ["notes=yes", f"args={offences}"])
    log = folder / "log"
    with Machine(qemu_snpemu.EmulatorOptions.from_environment(volume=volume, debugcon=log, reboot=False)) as machine:
        machine.wait_exit(120)
    return log.read_text(errors="replace").replace("\r", "")


@pytest.mark.parametrize("offence", ENDED)
def test_ends_the_guest(offender, tmp_path, offence):
    log = commit(offender, tmp_path, offence)
    assert "the guest goes on" not in log
    assert re.search(ENDED[offence], log), log


def test_answers_as_hardware(offender, tmp_path):
    log = commit(offender, tmp_path, " ".join(ANSWERED))
    for offence, answer in ANSWERED.items():
        said = log.split(f"{offence}:\n")[1].split("the guest goes on")[0]
        assert "\n".join(line for line in said.splitlines() if not line.startswith("snpemu")) == answer, log
    assert "violation" not in log
