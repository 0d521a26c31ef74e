"""sev/, on MicroPython's unix port, as a guest of the emulator's secure processor: every request, every fault."""

import ctypes
import json
import os
import pathlib
import subprocess

import pytest

import pspc
import qemu
from pspc import OK, Guest, der

HERE = pathlib.Path(__file__).parent
PLAIN, EXTENDED, BUSY, TOO_SMALL = 0x80000011, 0x80000012, 2 << 32, 1 << 32
LIMIT = 60  # s


class Error(Exception):
    """SevError or ValueError in the guest."""


class Python:
    """A guest that runs sev/. busy: how often the host says so before it asks the processor."""

    def __init__(self, guest, busy=0):
        self.guest, self.busy, self.exits = guest, busy, []
        path = os.pathsep.join([str(pspc.ROOT), ".frozen"])
        self.process = subprocess.Popen([qemu.BUILD / "unix" / "micropython", "-X", "heapsize=16M", HERE / "guest_side.py"], text=True, cwd=pspc.ROOT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "MICROPYPATH": path})
        self.tell(guest.secrets.hex())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(LIMIT)

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, name, *arguments, vmpck=0):
        """-> the result. Error: what the guest says."""
        self.tell(json.dumps([name, vmpck, arguments]))
        while True:
            word, _, rest = self.process.stdout.readline().rstrip("\n").partition(" ")
            if word == "exit":
                self.tell(self.exit(*rest.split()))
            elif word == "done":
                return json.loads(rest)
            else:
                assert word == "error", word + rest
                raise Error(rest)

    def exit(self, code, pages, page):
        """-> the host's answer."""
        code, page, library = int(code, 16), bytes.fromhex(page), self.guest.library
        self.exits.append(code)
        if self.busy:
            self.busy -= 1
            library.psp_observe(page)
            assert self.guest.complaint is None
            return f"0 {BUSY} 0 {bytes(4096).hex()} "
        table = b""
        if code == EXTENDED:
            need = library.psp_certificates(None, 0)
            if need > int(pages) * 4096:
                library.psp_observe(page)
                return f"0 {TOO_SMALL} {(need + 4095) // 4096} {bytes(4096).hex()} "
            buffer = ctypes.create_string_buffer(need)
            library.psp_certificates(buffer, need)
            table = buffer.raw
        status, response = self.guest.hand_over(page)
        return f"0 {status} 0 {(response if status == OK else bytes(4096)).hex()} {table.hex()}"


@pytest.fixture(autouse=True)
def no_reuse(library):
    """Whatever happens, sev/ puts no second text under a sequence number."""
    yield
    library.psp_certificates_form(b"der")
    assert library.psp_reuses() == 0


def test_requests(library):
    """One after the other under each key, that of a firmware before it too."""
    guest = Guest(library, used=(6, 0, 1 << 33, 0), measurement=b"M" * 48, guest_svn=3, tsc_factor=200, tsc_offset=12345)
    data = bytes(range(64))
    with Python(guest, busy=2) as python:
        for vmpck in range(4):
            report = bytes.fromhex(python.ask("report", data.hex(), 3, 0, vmpck=vmpck))
            assert report[0x50:0x90] == data and report[0x30] == 3
            assert python.ask("tsc", vmpck=vmpck) == [1 << 32, 12345, 200]
            key = python.ask("derive", 0x7F, 3, 3, 1, 1, 1, False, vmpck=vmpck)
            assert guest.complaint is None
        guest.numbers = [number + 8 for number in guest.numbers]  # three requests, and a report before the vector
        assert bytes.fromhex(key) == guest.key(2, fields=0x7F, vmpl=3, svn=3, tcb=1, mit=1, root=1 << 1, vmpck=3)[1]
        assert len(python.exits) == 4 * 4 + 2


@pytest.mark.parametrize("form, count, lists", (("der", 3, 0), ("pem", 3, 0), ("crl", 3, 1), ("empty", 0, 0), ("no-chain", 1, 0)))
@pytest.mark.parametrize("product", ("Milan", "Turin"))
def test_extended(library, product, form, count, lists):
    library.psp_certificates_form(form.encode())
    with Python(Guest(library, product=product)) as python:
        report, certificates, crls = python.ask("extended", bytes(64).hex(), 0, 0)
        assert len(report) == 2 * 0x4A0 and python.exits == [EXTENDED]
        assert certificates == [der(product, name).hex() for name in ("vcek", "ask", "ark")[:count]]
        assert crls == [der(product, "crl").hex()] * lists


@pytest.mark.parametrize("form, words", (("beyond", "certificate table has an entry of"), ("endless", "too many")))
def test_malformed_table(library, form, words):
    library.psp_certificates_form(form.encode())
    with Python(Guest(library)) as python:
        with pytest.raises(Error, match=words):
            python.ask("extended", bytes(64).hex(), 0, 0)
        assert python.ask("tsc")


REFUSED = {  # what is refused in an answer: the key goes on
    "VMPL of another key": ("report", (bytes(64).hex(), 0, 0), 1, "report refused: invalid parameter"),
    "VLEK": ("report", (bytes(64).hex(), 0, 2), 0, "report refused: invalid key"),
    "SVN": ("derive", (1, 0, 1, 0, None, 0, False), 0, "key refused: invalid parameter"),
    "TCB": ("derive", (1, 0, 0, 255, None, 0, False), 0, "key refused: invalid parameter"),
    "mitigations": ("derive", (1, 0, 0, 0, 1 << 63, 0, False), 0, "key refused: invalid parameter"),
    "VMRK": ("vmrk", (), 0, "VM root key refused: invalid parameter"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(library, name):
    request, arguments, vmpck, words = REFUSED[name]
    with Python(Guest(library)) as python:
        with pytest.raises(Error, match=words):
            python.ask(request, *arguments, vmpck=vmpck)
        assert python.ask("tsc", vmpck=vmpck)


def test_old_firmware(library):
    """The launch mitigation vector costs no key where the firmware does not know it."""
    with Python(Guest(library, report_version=4)) as python:
        with pytest.raises(Error, match="does not know launch mitigation vectors: its reports have version 4"):
            python.ask("derive", 1, 0, 0, 0, 1, 0, False)
        assert python.ask("tsc")


ERASED = "; VMPCK0 is erased"
FAULTS = {  # fault -> what the guest says, and whether VMPCK0 is gone then
    "bad-tag": "its tag is wrong" + ERASED,
    "wrong-sequence": "answer with sequence number 4, not 2" + ERASED,
    "wrong-type": "answer with type 8, not 6" + ERASED,
    "wrong-version": "answer with version 2, not 1" + ERASED,
    "wrong-vmpck": "answer with VMPCK 1, not 0" + ERASED,
    "wrong-header": "answer with header version 2, not 1" + ERASED,
    "empty-reply": "answer with a payload of 0 bytes" + ERASED,
    "oversize": "answer with a payload of 65535 bytes" + ERASED,
    "refused": "the secure processor refuses the message: invalid parameter (0x16)" + ERASED,
    "silent": "answer with algorithm 0, not 1" + ERASED,
    "short-reply": "report of 1184 bytes in an answer of 608",
    "bad-status": "report refused: invalid parameter (0x16)",
    "wrong-size": "report of 1185 bytes in an answer of 1216",
    "other-data": "report with other report data than was sent",
    "other-vmpl": "report of VMPL 1, asked for 0",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(library, fault):
    """The answer is not taken; where it is in doubt the key is gone, and the others are not."""
    guest = Guest(library)
    guest.fault(fault)
    with Python(guest) as python:
        with pytest.raises(Error) as raised:
            python.ask("report", bytes(64).hex(), 0, 0)
        assert str(raised.value).endswith(FAULTS[fault])
        if FAULTS[fault].endswith(ERASED):
            with pytest.raises(Error, match="VMPCK0 was erased"):
                python.ask("tsc")
            assert len(python.exits) == 1
        else:
            assert python.ask("tsc")
        assert python.ask("report", bytes(64).hex(), 1, 0, vmpck=1)


def test_replay(library):
    guest = Guest(library)
    with Python(guest) as python:
        python.ask("report", bytes(64).hex(), 0, 0)
        guest.fault("replay")
        with pytest.raises(Error, match="answer with sequence number 2, not 4; VMPCK0 is erased"):
            python.ask("report", bytes(64).hex(), 0, 0)


def test_all_faults(library):
    """No fault is without its case here; those that only a verifier sees are in test_attestation.py."""
    names, i = set(), 0
    while name := library.psp_fault_name(i, ctypes.byref(ctypes.c_char_p())):
        names.add(name.decode())
        i += 1
    assert names == set(FAULTS) | {"replay", "bad-signature", "other-chip", "other-tcb"}
