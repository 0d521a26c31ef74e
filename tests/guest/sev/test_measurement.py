"""The emulator's launch measurement, by a program that nobody here wrote: sev-snp-measure."""

import launchdigest
import qemu


def test_measurement(vm):
    report = bytes.fromhex("".join(vm.command("sev-report raw").split()))
    assert len(report) == 0x4A0
    assert report[0x90:0xC0] == launchdigest.emulated(qemu.BUILD / "keelback.efi")
