"""What a hardened build refuses to whom: one process, which is one. In a machine: tests/boot/test_hardened.py."""

import os
import sys

import _repl

_repl.HARDENED = True  # before anything looks

import asyncio

import crypto
import ghcb
import psp
from check import raises, run, same
from net.ssh.hostkey import HostKey
from shell import errors, hostkey, registry, remote, snp
from shell.registry import CommandError, command
from shell.session import Session
from talk import Script

KEYED = "command error, a hardened build has this over SSH with a key only\n"


def say(line, console=False, trusted=False):
    """-> what a session prints for a line."""
    script = Script([line.encode() + b"\r"])
    session = Session(script, console=console)
    session.trusted = trusted
    asyncio.run(session.run(""))
    return str(script.out, "utf-8").replace("\r\n", "\n")[len(line) + 3 : -2]


def test_commands():
    same([name for name in ("peek", "poke", "msr") if registry.find(name)], [])
    for line in ("python", "cat /x", "ls", "stat /x"):
        for console in (True, False):
            same((line, say(line, console)), (line, KEYED))
    assert say("ls /", trusted=True).startswith(("d ", "f "))
    private = [c.names for c in registry.commands() if c.private and c.names != "t-own"]
    same(private, ["cat", "ls", "python", "stat"])


def test_a_programs_own():
    @command("t-own", "", "", private=True)
    def t_own(ctx):
        return "shown\n"

    same((say("t-own"), say("t-own", trusted=True)), (KEYED, "shown\n\n"))


def test_completion():
    """Tab tells the names of files to those only whom `ls` tells them."""
    for line in ("ls /", "sev-report file /"):
        for trusted in (False, True):
            same((line, trusted, "etc/" in say(line + "\t\x15", trusted=trusted)), (line, trusted, trusted))


def test_no_raw_repl():
    del _repl.raw_calls[:]
    say("\x01nonsense", console=True)
    same(_repl.raw_calls, [])


def test_keys_of_the_boot_volume():
    """They count for nothing, and without a frozen one SSH stays shut."""
    with open("test-hardened-keys", "w") as f:
        f.write("")
    remote.KEY_FILES = ("test-hardened-keys",)
    try:
        same(remote.authorized(), (None, ()))
        same(str(raises(CommandError, remote.start)), "a hardened build serves SSH only to keys that are frozen into it")
    finally:
        os.remove("test-hardened-keys")

    class Module:
        KEYS = "not a key"

    sys.modules["authorized_keys"] = Module
    try:
        raises(CommandError, remote.start)
    finally:
        del sys.modules["authorized_keys"]


def test_nothing_secret():
    """Neither the ends of the VMPCKs nor a derived key are shown; which key it is can be told all the same."""
    shown = []
    for measurement in (bytes(48), bytes(48), bytes(range(48))):
        card = psp.Psp()
        card.measurement = measurement
        snp.forget()
        ghcb.install(card)
        shown.append(say("sev-kdf"))
        text = say("sev")
        assert "VMPCK0 .............: present\n" in text and "VMPCK3 .............: present\n" in text and " -- " not in text
        key = bytes(snp.guest().derive())
        assert key.hex() not in shown[-1] and shown[-1].count("\n") == 2
        mark = crypto.hkdf(256, key, b"", b"keelback/key-mark/v1/", 8).hex()
        same(shown[-1], "derived, not shown by a hardened build; mark %s (programs: shell.snp.guest().derive())\n\n" % mark)
    same((shown[0] == shown[1], shown[0] == shown[2]), (True, False))


def test_report_data():
    """Who has no key cannot have us vouch for bytes of their choice: with `ssh` the first half is of our own key."""
    card = psp.Psp()
    card.private, _ = crypto.ec_keypair(384)
    snp.forget()
    ghcb.install(card)
    for options in ("data 00", "raw data 00", "file /etc/passwd", "verify data 00", "ssh file /etc/passwd"):
        same((options, say("sev-report " + options)), (options, KEYED))
    same(card.done, [])
    report = bytes.fromhex(say("sev-report raw ssh data " + "ab" * 32).strip())
    same(report[0x50:0x90], hostkey.get().digest + b"\xab" * 32)
    same(bytes.fromhex(say("sev-report raw data " + "ab" * 64, trusted=True).strip())[0x50:0x90], b"\xab" * 64)
    assert bytes.fromhex(say("sev-report raw").strip())[0x50:0x90] != bytes(64)


def test_tracebacks():
    """The console is told where something went wrong, not what the exception says."""
    said = []

    class Console:
        write = said.append

    real, errors.sys = errors.sys, Sys(Console)
    try:
        errors.log(KeyError("what the program keeps"))
        try:
            {}["what the program keeps"]
        except KeyError as e:
            errors.log(e)
    finally:
        errors.sys = real
    text = "".join(said)
    assert "keeps" not in text and text.count("KeyError\n") == 2 and text.count("  File ") == 1, text


def test_errors():
    """So is who has a command fail; what the command itself answers is told, and who has a key is told all."""

    @command("t-fail", "(foreseen)?", "")
    def t_fail(ctx, foreseen):
        raise (ValueError if foreseen else KeyError)("what the program keeps")

    same(say("t-fail", console=True), "command error, KeyError\n")
    same(say("t-fail foreseen", console=True), "command error, what the program keeps\n")
    same(say("t-fail", trusted=True), "command error, KeyError: what the program keeps\n")


class Sys:
    """Module sys with another console."""

    print_exception = sys.print_exception

    def __init__(self, console):
        self.stdout = console


run(globals())
