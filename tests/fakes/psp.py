"""A secure processor in Python, which checks guest messages as strictly as the firmware does, and a host before it.

Psp.process() takes the bytes of a request page and gives the firmware's status and an answer. Host is what
sev.channel.Channel wants of a machine: shared memory, the exit, a clock. It fails where a guest sends two texts under
one number, or an exit that is not well-formed. faults: functions(host, call) -> (EXITINFO1, EXITINFO2, RBX), one for
each exit to come; None and an empty list mean honest(). Those at the end of the file lie in the ways that are known.
Source: SEV-SNP Firmware ABI (56860), 8.26; GHCB specification (56421), guest request events.
"""

import struct

import crypto
import snpreport

OK, BAD_MEASUREMENT, INVALID_PARAM, AEAD_OFLOW, INVALID_KEY = 0, 0x0B, 0x16, 0x1D, 0x27
MIGRATION = (7, 9, 11, 13, 15)  # types that only a migration agent may send
PLAIN, EXTENDED = 0x80000011, 0x80000012
BUSY, TOO_SMALL = 2 << 32, 1 << 32
PAGE = 4096
HEADER = "<16s16sQQBBHBBHIB35s"  # tag, rest of tag, number, 0, algorithm, version, length, type, version, payload, 0, VMPCK, 0


def message(key, number, kind, payload, version=1, vmpck=0, algorithm=1, header=1, length=0x60, size=None):
    """-> a sealed message, header first; every field of it may be wrong."""
    size = len(payload) if size is None else size
    head = bytearray(struct.pack(HEADER, b"", b"", number, 0, algorithm, header, length, kind, version, size, 0, vmpck, b""))
    gcm, text = crypto.Gcm(key), bytearray(payload)
    head[:16] = gcm.seal(struct.pack("<QI", number, 0), bytes(head[0x30:]), text)
    return bytes(head) + bytes(text)


class Psp:
    """The processor's side of one guest."""

    policy, svn, tcb, mit_vector, vmpl = 0x30000, 2, 0x4408000000000005, 0b1011, 0
    measurement = bytes(range(48))
    vlek = False  # is one loaded?
    report_version = 3
    mit_known = True  # firmware that takes version 2 of MSG_KEY_REQ
    private = None  # of the VCEK, big-endian: then reports are whole ones, of a Milan (tests/fakes/snpreport.py), and signed

    def __init__(self, seed=0):
        self.keys = [crypto.sha2(256, b"vmpck", bytes((seed & 255, i))) for i in range(4)]
        self.numbers = [0] * 4
        self.done = []  # (VMPCK, number, type) of each message that was answered

    def process(self, page):
        """-> (status, answer or None); counts only when it answers."""
        fields = struct.unpack_from(HEADER, page, 0)
        tag, rest, number, zero, algorithm, header, length, kind, version, size, zero2, vmpck, zeros = fields
        if (algorithm, header, length) != (1, 1, 0x60) or not 0 < size <= 4000 or any(rest) or zero or zero2 or any(zeros) or vmpck > 3:
            return INVALID_PARAM, None
        if number != self.numbers[vmpck] + 1:
            return AEAD_OFLOW, None
        text = bytearray(page[0x60 : 0x60 + size])
        try:
            crypto.Gcm(self.keys[vmpck]).open(struct.pack("<QI", number, 0), page[0x30:0x60], text, tag)
        except ValueError:
            return BAD_MEASUREMENT, None
        answer = self._answer(kind, version, bytes(text), max(self.vmpl, vmpck))
        if answer is None:
            return INVALID_PARAM, None
        self.numbers[vmpck] += 2
        self.done.append((vmpck, number, kind))
        return OK, message(self.keys[vmpck], number + 1, kind + 1, answer, version, vmpck)

    def _answer(self, kind, version, text, vmpl):
        """-> the answer's payload, None where the firmware refuses the message. vmpl: the least to state; the key stands for it."""
        if kind == 5 and version == 1 and len(text) == 96 and not any(text[72:]) and text[68] < 4 and not any(text[69:72]):
            return self._report(text, vmpl)
        least = {1: 32, 2: 40 if self.mit_known else 65}.get(version, 65)
        if kind == 3 and least <= len(text) <= 64 and not any(text[4:8]) and not any(text[least:]):
            root, fields = struct.unpack_from("<I4xQ", text, 0)
            return None if root > 7 or fields >> (5 + version) else self._key(text[:least], vmpl)
        if kind == 17 and version == 1 and text == bytes(128):
            return struct.pack("<IIQQI100x", OK, 0, 1 << 32, 0xFFFFFFFFFFFF0000, 200)
        if kind in MIGRATION and version == 1:
            return struct.pack("<I12x", INVALID_PARAM)
        return None

    def _select(self, key):
        """-> the status of a key selection."""
        return INVALID_PARAM if key > 2 else INVALID_KEY if key == 2 and not self.vlek else OK

    def _report(self, text, least):
        vmpl, key = struct.unpack_from("<II", text, 64)
        status = OK if least <= vmpl <= 3 else INVALID_PARAM
        status = status or self._select(key)
        if status:
            return struct.pack("<I28x", status)
        if self.private:
            return struct.pack("<II24x", OK, 0x4A0) + self._signed(text[:64], vmpl)
        report = bytearray(0x4A0)
        struct.pack_into("<IIQ", report, 0, self.report_version, self.svn, self.policy)
        struct.pack_into("<IIQ", report, 0x30, vmpl, 1, self.tcb)
        report[0x50:0x90] = text[:64]
        report[0x90:0xC0] = self.measurement
        return struct.pack("<II24x", OK, len(report)) + bytes(report)

    def _signed(self, data, vmpl):
        report = snpreport.make(version=self.report_version, report_data=data, vmpl=vmpl, policy=self.policy, measurement=self.measurement)
        r, s = crypto.ecdsa_sign(384, self.private, crypto.sha2(384, report[:0x2A0]))
        numbers = [bytes(reversed(bytes(48 - len(n)) + n)) + bytes(24) for n in (r, s)]
        return report[:0x2A0] + b"".join(numbers) + report[0x330:]

    def _key(self, text, least):
        root, _, fields, vmpl, svn, tcb = struct.unpack_from("<IIQIIQ", text, 0)
        mit = struct.unpack_from("<Q", text, 32)[0] if len(text) == 40 else 0
        status = OK
        if not least <= vmpl <= 3 or svn > self.svn or mit & ~self.mit_vector:
            status = INVALID_PARAM
        if [1 for i in range(8) if tcb >> 8 * i & 255 > self.tcb >> 8 * i & 255]:
            status = INVALID_PARAM
        status = status or (OK if root & 1 else self._select(root >> 1))
        if status:
            return struct.pack("<I60x", status)
        chosen = struct.pack("<IQI", root, fields, vmpl)
        for bit, value in ((1, struct.pack("<Q", self.policy)), (8, self.measurement), (16, struct.pack("<I", svn)),
                           (32, struct.pack("<Q", tcb)), (64, struct.pack("<Q", mit))):  # fmt: skip
            chosen += value if fields & bit else b""
        return struct.pack("<I28x", OK) + crypto.hmac(256, b"the chip's secret", chosen)

    def secrets(self):
        """-> a secrets page with these keys."""
        page = bytearray(PAGE)
        struct.pack_into("<III", page, 0, 4, 0, 0x00A00F11)
        for i in range(4):
            page[0x20 + 32 * i : 0x40 + 32 * i] = self.keys[i]
            struct.pack_into("<I", page, 0xA0 + 4 * i, self.numbers[i] & 0xFFFFFFFF)
            struct.pack_into("<I", page, 0xB8 + 4 * i, self.numbers[i] >> 32)
        struct.pack_into("<H", page, 0xDE, 1)
        struct.pack_into("<I", page, 0x160, 200)
        struct.pack_into("<Q", page, 0x168, self.mit_vector)
        return page


class Area:
    """Shared memory."""

    def __init__(self, addr, pages):
        self.addr, self.view, self.freed = addr, memoryview(bytearray(b"\xee" * (PAGE * pages))), False

    def free(self):
        assert not self.freed, "freed twice"
        self.freed = True


class Host:
    """The machine that a channel works on; honest unless told otherwise."""

    def __init__(self, psp, table=b""):
        self.psp, self.table = psp, table
        self.faults, self.sleeps = [], []
        self.areas, self.calls, self.saw = [], [], {}
        self.ms, self.slept = 1 << 33, []

    def shared(self, pages):
        area = Area(0x10000000 + (0x100000 * len(self.areas)), pages)
        self.areas.append(area)
        return area

    def now_ms(self):
        return self.ms

    def sleep_ms(self, n):
        if self.sleeps:
            raise self.sleeps.pop()
        self.slept.append(n)
        self.ms += n

    def view(self, addr, pages=1):
        """-> shared pages at an address, as many as said."""
        (area,) = [a for a in self.areas if a.addr <= addr < a.addr + len(a.view) and not a.freed]
        view = area.view[addr - area.addr :][: PAGE * pages]
        assert addr % PAGE == 0 and len(view) == PAGE * pages, "not shared pages"
        return view

    def guest_request(self, code, info1, info2, rax, rbx):
        call = Call(self, code, info1, info2, rax, rbx)
        self.calls.append(code)
        known = self.saw.setdefault((call.vmpck, call.number), call.message)
        assert known == call.message, "two texts under number %d of VMPCK%d" % (call.number, call.vmpck)
        fault = self.faults.pop(0) if self.faults else None
        return (fault or honest)(self, call)


class Call:
    """One exit, as the host sees it."""

    def __init__(self, host, code, info1, info2, rax, rbx):
        assert code in (PLAIN, EXTENDED) and info1 != info2
        self.request, self.response = host.view(info1), host.view(info2)
        self.certs = None
        assert not any(self.response), "the response page is not clear"
        if code == EXTENDED:
            self.certs = host.view(rax, rbx)
            assert not any(self.certs), "the buffer is not clear"
        else:
            assert rax is None and rbx is None
        page = bytes(self.request)
        self.number, self.vmpck = struct.unpack_from("<Q", page, 0x20)[0], page[0x3C]
        size = 0x60 + struct.unpack_from("<H", page, 0x36)[0]
        assert not any(page[size:]), "something lies behind the message"
        self.message = page[:size]


def honest(host, call):
    """Hand the message to the processor, the answer to the guest."""
    if call.certs is not None:
        if len(host.table) > len(call.certs):
            return 0, TOO_SMALL, (len(host.table) + PAGE - 1) // PAGE
        call.certs[: len(host.table)] = host.table
    status, answer = host.psp.process(bytes(call.request))
    if answer:
        call.response[: len(answer)] = answer
    return 0, status, 0


# ---- lies -----------------------------------------------------------------------------------------------------------


def busy(host, call):
    return 0, BUSY, 0


def silent(host, call):
    """Say that all is well, and do nothing."""
    return 0, 0, 0


def says(info1, info2, rbx=0):
    """-> a host that answers this without asking the processor."""
    return lambda host, call: (info1, info2, rbx)


def late(info1, info2, rbx=0):
    """-> a host that asks the processor and then answers this."""

    def fault(host, call):
        honest(host, call)
        return info1, info2, rbx

    return fault


def tampers(change):
    """-> a host that does change(response page) to the processor's answer."""

    def fault(host, call):
        result = honest(host, call)
        change(call.response)
        return result

    return fault


def garbled(at, value=None):
    """-> a host that gives one byte of the answer another value, or flips its highest bit."""

    def change(page):
        page[at] = page[at] ^ 0x80 if value is None else value

    return tampers(change)


def twice(host, call):
    """Give the message to the processor twice; it must refuse the second."""
    result = honest(host, call)
    if result[1] == OK:
        assert host.psp.process(bytes(call.request)) == (AEAD_OFLOW, None)
    return result


def forged(**fields):
    """-> a processor that answers with wrong fields, under the right key. payload: bytes."""

    def fault(host, call):
        host.psp.process(bytes(call.request))
        values = {"number": call.number + 1, "kind": call.message[0x34] + 1, "payload": bytes(0x4C0), "vmpck": call.vmpck}
        values.update(fields)
        answer = message(host.psp.keys[call.vmpck], values.pop("number"), values.pop("kind"), values.pop("payload"), **values)
        call.response[: len(answer)] = answer
        return 0, 0, 0

    return fault


class Interrupt(Exception):
    """Stands for Ctrl-C."""


def interrupts(host, call):
    raise Interrupt


def late_interrupt(host, call):
    """Ctrl-C while the processor is at work: it is noticed behind the exit."""
    honest(host, call)
    raise Interrupt


def sleepless(host, call):
    """Be busy, and have the guest interrupted while it waits."""
    host.sleeps = [Interrupt]
    return busy(host, call)
