"""A channel to the secure processor: one VMPCK, one message at a time, through a host that may lie.

Source: SEV-SNP Firmware ABI (56860), 8.26; GHCB specification (56421), guest request and extended guest request; limits
and the handling of errors as Linux has them (snp_send_guest_request(), __handle_guest_request()).

The rule: AES-GCM forgives no second text under one sequence number, and the processor takes exactly the next one and
counts only when it answers. So a number is spent before its message leaves; only the very same bytes are sent again; and
unless an answer proves that the processor counted, the key is erased, for all time: after a refusal of the firmware, a tag
that is wrong, a host that stays busy. An answer that authenticates is no doubt, whatever it says. An exception in between,
such as Ctrl-C, leaves the message pending: it gets its answer before another one is made. Only a soft reset in between
costs the key, for then the bytes are gone.

What it needs of the machine, as one object:
  shared(pages) -> shared memory, page-aligned and contiguous: .addr (GPA), .view, .free()
  guest_request(code, info1, info2, rax, rbx) -> (EXITINFO1, EXITINFO2, RBX) after one VMGEXIT; rax, rbx: None or valid
  now_ms(), sleep_ms(n)
Left out: several channels with one key, or several processors in one; who comes in the middle of a request is refused.
"""

# SPDX-License-Identifier: BSD-3-Clause

import crypto
from micropython import const

from sev import msg
from sev.error import SevError
from sev.psp_names import status_text

GUEST_REQUEST = const(0x80000011)  # exit codes
EXTENDED_GUEST_REQUEST = const(0x80000012)
_TOO_SMALL = const(1 << 32)  # in EXITINFO2: the processor was not asked, RBX tells the pages
_BUSY = const(2 << 32)  # was not asked either
_RETRY_MS = const(2000)  # Linux: SNP_REQ_RETRY_DELAY
_PATIENCE_MS = const(60000)  # Linux: SNP_REQ_MAX_RETRY_DURATION
_SENDS_MAX = const(32)  # should the host hold the clock
CERT_PAGES = const(4)  # Linux: SEV_FW_BLOB_MAX_SIZE
CERT_PAGES_MAX = const(16)


class Pending:
    """A message on its way. asked: (number, type, version, VMPCK), of which it is made; spent: is its number noted?"""

    def __init__(self, asked, message):
        self.asked, self.message, self.spent = asked, message, False


class Channel:
    """Messages under one VMPCK. machine: see above; key: a secrets.Vmpck. close() gives the shared pages back."""

    def __init__(self, machine, key):
        self._machine = machine
        self._key = key
        self._under_way = False
        self._pending = None  # the Pending that has no answer yet
        self._pages = machine.shared(2)  # the request, the answer
        self._certs = None

    def close(self):
        """Give the shared pages back. The key stays, unless a message is pending."""
        if self._under_way:
            raise SevError("a guest message is under way")
        if self._pending:
            self._key.erase("a message was left without its answer")
            self._pending = None
        for area in (self._pages, self._certs):
            if area:
                area.free()
        self._pages = self._certs = None

    def request(self, kind, payload, version=1):
        """-> a bytearray, the payload of the answer. kind: msg.KEY_REQ .... Raises SevError; the key may be gone then."""
        return self._converse(kind, version, payload, None)[0]

    def extended(self, kind, payload, version=1):
        """-> (payload of the answer, what the host put into the buffer for certificates, unproved). Raises SevError.

        A buffer that is too small grows once. The message that found it so is sent again as a plain request, which spends
        its number; the next one, with a number of its own, gets the larger buffer.
        """
        for _ in range(2):
            if self._certs is None:
                self._certs = self._machine.shared(CERT_PAGES)
            answer, wanted = self._converse(kind, version, payload, self._certs)
            if wanted is None:
                return answer, bytes(self._certs.view)
            crypto.wipe(answer)
            self._grow(wanted)
        raise SevError("the host wants ever more room for certificates")

    def _grow(self, pages):
        have = len(self._certs.view) // msg.PAGE_LEN
        if not have < pages <= CERT_PAGES_MAX:
            raise SevError("the host wants %d pages for certificates, and has %d" % (pages, have))
        larger = self._machine.shared(pages)
        self._certs.free()
        self._certs = larger

    def _converse(self, kind, version, payload, certs):
        """-> (payload of the answer, pages wanted for certificates or None). On any doubt the key is erased."""
        if self._under_way or self._pages is None:
            raise SevError("a guest message is under way" if self._under_way else "the channel is closed")
        self._under_way = True
        gcm = None
        try:
            gcm = self._key.gcm()
            if self._pending:
                crypto.wipe(self._settle(gcm))
            asked = (self._key.next(), kind, version, self._key.index)
            self._pending = Pending(asked, msg.seal(gcm, *asked, payload))
            return self._exchange(gcm, certs)
        finally:
            self._under_way = False
            if gcm:
                gcm.wipe()

    def _settle(self, gcm):
        """-> the answer to the message that an exception left pending. It may have come before that."""
        try:
            answer = self._answer(gcm)
            self._pending = None
            return answer
        except SevError:
            return self._exchange(gcm, None)[0]

    def _exchange(self, gcm, certs):
        """-> as _converse(), for the pending message."""
        pending = self._pending
        try:
            if not pending.spent:
                self._key.spend(pending.asked[0])
                pending.spent = True  # after it: an exception in between costs the key, not a number
            start_ms = self._machine.now_ms()
            wanted = self._deliver(pending.message, certs, start_ms)
            if wanted is not None:
                self._deliver(pending.message, None, start_ms)
            answer = self._answer(gcm)
            self._pending = None
            return answer, wanted
        except SevError as e:
            self._pending = None
            self._key.erase(str(e))
            raise SevError("%s; VMPCK%d is erased" % (e, self._key.index))

    def _answer(self, gcm):
        """-> the payload of the answer to the pending message. The host cannot change the copy that is looked at."""
        return msg.open(gcm, bytearray(self._pages.view[msg.PAGE_LEN :]), *self._pending.asked)

    def _deliver(self, message, certs, start_ms):
        """Have the processor answer the message; wait while the host is busy. -> None, or the pages that certificates need."""
        for _ in range(_SENDS_MAX):
            info1, info2, rbx = self._send(message, certs)
            if info1 & 0xFFFFFFFF:
                raise SevError("the host does not take the request (%#x, %#x)" % (info1, info2))
            if info2 == 0:
                return None
            if info2 == _TOO_SMALL and certs:
                return rbx
            if info2 & 0xFFFFFFFF:
                raise SevError("the secure processor refuses the message: %s" % status_text(info2 & 0xFFFFFFFF))
            if info2 != _BUSY:
                raise SevError("the host fails the request (%#x)" % info2)
            if self._machine.now_ms() - start_ms > _PATIENCE_MS:
                break
            self._machine.sleep_ms(_RETRY_MS)
        raise SevError("the host stays busy")

    def _send(self, message, certs):
        """Exit once with these bytes, whatever the host did to the pages since. certs: the buffer of an extended request."""
        view, addr = self._pages.view, self._pages.addr
        view[: len(message)] = message
        crypto.wipe(view[len(message) :])
        if certs is None:
            return self._machine.guest_request(GUEST_REQUEST, addr, addr + msg.PAGE_LEN, None, None)
        crypto.wipe(certs.view)
        pages = len(certs.view) // msg.PAGE_LEN
        return self._machine.guest_request(EXTENDED_GUEST_REQUEST, addr, addr + msg.PAGE_LEN, certs.addr, pages)
