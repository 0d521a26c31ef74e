"""A host that lies to an SEV-SNP guest: the emulator does so on request, and the guest stops with a word, or goes on without harm.

Faults of guest messages, which end no guest, are in tests/guest/sev/message_faults.py.
"""

import pytest

FAULT_CALL = 0x534E5046  # docs/emulator.md
ENDS_ITSELF = "the guest asks to be ended: reason set {}, code {}"


def ask(machine, fault):
    """Have the guest ask for a fault, once, at its Python prompt; it happens at that very exit, or at the next that it fits."""
    name = fault.encode().ljust(16, b"\0")
    words = [int.from_bytes(name[i:i + 8], "little") for i in (0, 8)]
    machine.send("python\r")
    machine.expect(rb">>> ", 30)
    machine.send(f"import ghcb; ghcb.call(0x81, {words[0]}, {words[1]}, {FAULT_CALL}, 1)\r")


@pytest.mark.parametrize("fault, reason", [("psc-refuse", (1, 1)), ("register-refuse", (1, 0))])
def test_no_ghcb_to_speak_through(boot_snp, fault, reason):
    """The reasons are Linux's: page state change, registration."""
    machine = boot_snp(f"fault={fault}", wait=False)
    machine.wait_exit(120)
    assert ENDS_ITSELF.format(*reason) in machine.log()


@pytest.mark.parametrize("fault, word", [
    ("spurious-vc", rb"error: #VC 72: the instruction does not raise it"),
    ("changed-page", rb"error: #VC 404: memory that was never validated, or that the host has exchanged"),
])
def test_ends_with_a_word(boot_snp, fault, word):
    machine = boot_snp()
    ask(machine, fault)
    machine.expect(word, 30)
    machine.wait_exit(60)
    assert ENDS_ITSELF.format(0, 0) in machine.log()
    assert "violation" not in machine.log()


def test_exception_that_no_exit_may_ask_for(boot_snp):
    """A page fault: the caller sees what the host wants, and nothing is injected."""
    machine = boot_snp()
    ask(machine, "ghcb-exception")
    machine.expect(rb"\(1, %d, 0, 1\)" % (1 << 31 | 3 << 8 | 14), 30)
    machine.send("print(6 * 7)\r")
    machine.expect(rb"\n42\r", 30)
    assert "violation" not in machine.log()


def test_no_source_of_randomness(boot_snp):
    """The CPUID page has no RDRAND, and what the host calls random is not taken for it."""
    machine = boot_snp("fault=lying-cpuid", net="user")
    assert "command error, no source of random numbers" in machine.command("net-virtio 10.0.0.1 255.255.255.0 10.0.0.2")
    assert machine.command("sev-report") == "command error, random numbers: no such device\n"
    assert "SEV-SNP ............: true" in machine.command("sev")
    assert "violation" not in machine.log()


def test_page_states_in_small_pieces(boot_snp):
    """A host that does one entry at a time, and memory that the firmware left unaccepted."""
    machine = boot_snp("psc_chunk=1", "unaccepted=96M", "split=0", net="user")
    assert "network initialized" in machine.command("net-virtio 10.0.0.1 255.255.255.0 10.0.0.2")
    machine.send("python\r")
    machine.expect(rb">>> ", 30)
    machine.send("a = [bytes([107]) * (1 << 20) for i in range(150)]; print(sum(b[-1] for b in a))\r")
    machine.expect(rb"\n16050\r", 120)
    assert "violation" not in machine.log()


def test_page_state_header_out_of_range(boot_snp):
    machine = boot_snp("fault=psc-header", net="user")
    assert machine.command("net-virtio 10.0.0.1 255.255.255.0 10.0.0.2").startswith("command error")
    assert "SEV-SNP ............: true" in machine.command("sev")
    assert "violation" not in machine.log()


def test_a_number_used_twice(boot_snp):
    """Not the host's lie but the guest's own mistake: the emulator ends it."""
    machine = boot_snp()
    machine.send("python\r")
    machine.expect(rb">>> ", 30)
    for line in ("from shell import snp; from sev import msg; import mem, ghcb", "k = snp.guest().secrets.key(None); g = k.gcm(); d = mem.dma(8192)",
                 "def go(t): d.view[:192] = msg.seal(g, 1, 5, 1, 0, bytes([t]) * 64 + bytes(32)); ghcb.call(0x80000011, d.addr, d.addr + 4096)\r",
                 "go(1)", "go(2)"):
        machine.send(line + "\r")
    machine.expect(rb"snpemu: violation: VMPCK0: sequence number 1 again, for another text", 30)
