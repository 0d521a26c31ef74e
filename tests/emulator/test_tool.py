"""The emulator as a tool of its own: from a UEFI shell, with wrong words first, and on a processor that it cannot use."""

import pytest

import qemu
import qemu_snpemu
from vm import Machine

STARTUP = r"""fs0:
snpemu.efi
snpemu.efi nothing.efi
snpemu.efi keelback.efi colour=blue
snpemu.efi keelback.efi unaccepted=much
snpemu.efi keelback.efi product=naples
snpemu.efi keelback.efi fault=bussy
snpemu.efi keelback.efi fault=busy@3
snpemu.efi keelback.efi end=never
snpemu.efi keelback.efi notes=yes log_serial=yes args=boot_services=keep
"""


@pytest.fixture
def shell(tmp_path):
    """A boot volume with nothing to boot: the firmware starts its shell, which runs startup.nsh."""
    for name in ("snpemu.efi", "keelback.efi"):
        (tmp_path / name).write_bytes((qemu.BUILD / name).read_bytes())
    (tmp_path / "startup.nsh").write_bytes(STARTUP.replace("\n", "\r\n").encode())
    return tmp_path


def test_from_a_shell(shell):
    with Machine(qemu_snpemu.EmulatorOptions.from_environment(volume=shell)) as vm:
        vm.expect(rb"snpemu: the target cannot be loaded: put target.efi on the volume, or name it", 120)
        vm.expect(rb"snpemu: the target cannot be loaded", 60)
        vm.expect(rb"snpemu: \w+: no such option; docs/emulator.md lists them", 60)
        vm.expect(rb"snpemu: unaccepted wants a number", 60)
        vm.expect(rb"snpemu: product is milan, genoa or turin", 60)
        vm.expect(rb"snpemu: there is no such fault; docs/emulator.md lists them", 60)
        vm.expect(rb"snpemu: there is no such fault", 60)
        vm.expect(rb"snpemu: end is off, reset or halt", 60)
        vm.expect(rb"snpemu: the rest runs as an SEV-SNP guest; emulated, no secret is safe", 60)
        vm.wait_prompt()
        assert vm.command("sev").startswith("command error, the firmware has the GHCB until boot services are exited")
        vm.command("exit-boot-services")
        assert "SEV-SNP ............: true" in vm.command("sev")


def test_wrong_processor(shell):
    (shell / "startup.nsh").write_bytes(b"fs0:\r\nsnpemu.efi keelback.efi\r\n")
    with Machine(qemu.Options(volume=shell)) as vm:
        vm.expect(rb"snpemu: the processor has no SVM with nested paging and 48 address bits: -cpu EPYC,phys-bits=48", 120)
