"""Direct boot as in an SEV-SNP guest, without the hardware: OVMF's AmdSev build, and the table of hashes in its place.

On the hardware QEMU puts the table where the secure processor measures it; here it is loaded into memory. All that the
firmware and we do is the same: it starts nothing but what the table names.
"""

import re
import time

import pytest

import qemu
import qemu_snp
from places import EFI
from sevsnpmeasure.sev_hashes import SevHashes
from vm import Machine

TABLE_AT = 0x810C00  # OVMF's footer says so


class Unprotected(qemu_snp.SnpOptions):
    """The same machine without the protection."""

    def _machine(self):
        words = " ".join(super()._machine()).replace("confidential-guest-support=sev0,", "").split(" ")
        at = next(i for i, word in enumerate(words) if word.startswith("sev-snp-guest"))
        return words[:at - 1] + words[at + 1:]


@pytest.fixture
def start(tmp_path):
    """A function that boots with the load options `given`, where the table has those that are `measured`."""
    machines = []

    def boot(given, measured, **options):
        (tmp_path / "table").write_bytes(SevHashes(str(EFI), "", measured).construct_table())
        machines.append(Machine(Unprotected(kernel=EFI, append=given, accel="tcg", cpu=qemu.TCG_CPU, **options,
                                            extra=("-device", f"loader,addr={TABLE_AT:#x},file={tmp_path}/table,force-raw=on"))))
        machines[0].start()
        return machines[0]

    yield boot
    for machine in machines:
        machine.kill()


def test_starts_what_was_measured(start):
    """Its options arrive, and its network card, which reaches no memory but what it is given, works."""
    vm = start("ntp=a.example boot_services=exit", "ntp=a.example boot_services=exit", net="user")
    vm.wait_prompt()
    assert "10.0.0.1/24" in vm.command("net-virtio 10.0.0.1/24 : 10.0.0.2")
    vm.send("python\r")
    vm.expect(rb">>> \Z", 20)
    vm.send("import efi; efi.options()\r")
    vm.expect(rb"\(\('ntp', 'a.example'\), \('boot_services', 'exit'\)\)", 20)


def test_refuses_other_load_options(start):
    """The firmware stays in a loop of few instructions for good."""
    vm = start("fault=off", "fault=halt")
    deadline = time.monotonic() + 120
    seen = []
    while len(seen) < 20 or max(seen) - min(seen) > 64:
        assert time.monotonic() < deadline, f"still busy: {[hex(rip) for rip in seen]}"
        time.sleep(0.1)
        registers = vm.qmp("human-monitor-command", command_line="info registers")
        seen = [*seen, int(re.search(r"RIP=([0-9a-f]+)", registers)[1], 16)][-20:]
    assert b"initializing EFI services" not in vm.console
