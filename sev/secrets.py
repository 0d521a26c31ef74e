"""The secrets page: what the secure processor tells this guest alone, and the keys for messages to it.

Source: SEV-SNP Firmware ABI (56860), secrets page; GHCB specification (56421), the guest's reserved area in it; SVSM
specification (58019). The page is private and the processor filled it: it is believed, GOSVW excepted, which comes from
the host. A key and its sequence number stay in the page, so that a firmware, a soft reset or a next kernel goes on where
the last one stopped, and a key that is erased is gone for all of them. Left out: writing the AP jump table.
"""

# SPDX-License-Identifier: BSD-3-Clause

import struct
from collections import namedtuple

import crypto
from micropython import const

from sev.error import SevError

PAGE_LEN = const(4096)
KEY_COUNT = const(4)
KEY_LEN = const(32)
_VERSION_MIN = const(2)

_HEAD = "<III4x16s"  # version, bit 0 IMI_EN, family/model/stepping, reserved, GOSVW
_KEYS = const(0x20)
_NUMBERS_LOW = const(0xA0)  # u32 for each key: the last number used, answers included
_JUMP_TABLE = const(0xB0)  # u64
_NUMBERS_HIGH = const(0xB8)  # u32 for each key, from version 1 of the area on
_AREA_VERSION = const(0xDE)  # u16
_SVSM = const(0x140)
_SVSM_FORMAT = "<QQQIB3x"  # base, length, calling area, protocol version, VMPL of the guest
_TSC_FACTOR = const(0x160)  # u32
_LAUNCH_MIT_VECTOR = const(0x168)  # u64
_VMPL_MAX = const(3)

Svsm = namedtuple("Svsm", ("base_addr", "base_len", "calling_addr", "protocol_max"))


class Secrets:
    """A secrets page. page: its 4096 bytes themselves, writable, not a copy. Raises SevError: there is none.

    version; imi; fms: CPUID 1 EAX; gosvw; tsc_factor: in 0.001 %; launch_mit_vector; vmpl: the level we run at;
    svsm: an Svsm, or None; jump_table_addr. What a version does not know is zero.
    """

    def __init__(self, page):
        if len(page) != PAGE_LEN:
            raise SevError("secrets page of %d bytes" % len(page))
        self.version, imi, self.fms, self.gosvw = struct.unpack_from(_HEAD, page, 0)
        if self.version < _VERSION_MIN:
            raise SevError("secrets page of version %d" % self.version)
        self.imi = bool(imi & 1)
        self.tsc_factor = struct.unpack_from("<I", page, _TSC_FACTOR)[0]
        self.launch_mit_vector = struct.unpack_from("<Q", page, _LAUNCH_MIT_VECTOR)[0]
        self.jump_table_addr = struct.unpack_from("<Q", page, _JUMP_TABLE)[0]
        self.svsm, self.vmpl = _svsm(page)
        self._keys = [Vmpck(page, i) for i in range(KEY_COUNT)]

    def key(self, index=None):
        """-> the Vmpck with this index, the one of our own VMPL if None; the same object every time."""
        index = self.vmpl if index is None else index
        if not 0 <= index < KEY_COUNT:
            raise ValueError("VMPCK 0 to 3")
        return self._keys[index]

    def erase(self, reason):
        """Erase every key."""
        for key in self._keys:
            key.erase(reason)


def _svsm(page):
    """-> (Svsm or None, VMPL that the guest runs at)."""
    base, length, calling, protocol, vmpl = struct.unpack_from(_SVSM_FORMAT, page, _SVSM)
    if not length:
        return None, 0
    if not 1 <= vmpl <= _VMPL_MAX or not calling or calling % PAGE_LEN:
        raise SevError("secrets page with an SVSM, VMPL %d, calling area %#x" % (vmpl, calling))
    return Svsm(base, length, calling, protocol), vmpl


class Vmpck:
    """A key for guest messages and its sequence number, in the secrets page.

    index. why: None, or why there is no key. The number only goes up: spend() comes before the message leaves, so that
    whatever then happens nobody uses it for another one; and if somebody else wrote it back, the key is erased.
    """

    def __init__(self, page, index):
        self.index = index
        self._key = memoryview(page)[_KEYS + index * KEY_LEN : _KEYS + (index + 1) * KEY_LEN]
        self._page = page
        self._wide = struct.unpack_from("<H", page, _AREA_VERSION)[0] >= 1
        self._last = 0
        self.why = None if self.present else "is absent"

    @property
    def present(self):
        """Is there a key? Zeroes are none."""
        return not crypto.equal(self._key, bytes(KEY_LEN))

    @property
    def ends(self):
        """-> (first, last byte), to tell keys apart by."""
        return self._key[0], self._key[KEY_LEN - 1]

    def gcm(self):
        """-> the cipher with this key; the caller wipes it. SevError: there is none."""
        if not self.present:
            raise SevError("VMPCK%d %s" % (self.index, self.why or "was erased"))
        return crypto.Gcm(self._key)

    def erase(self, reason):
        """Overwrite the key; reason: text for who asks for it later."""
        if self.present:
            self.why = "was erased: %s" % reason
        crypto.wipe(self._key)

    def next(self):
        """-> the number for the next request. SevError: none is left, or the page's went back (the key is erased then)."""
        used = self.used
        if used < self._last:
            self.erase("its sequence number went back from %d to %d" % (self._last, used))
            raise SevError("VMPCK%d %s" % (self.index, self.why))
        if used + 2 >> (64 if self._wide else 32):
            raise SevError("VMPCK%d has used up its sequence numbers" % self.index)
        return used + 1

    def spend(self, number):
        """Note a request with next()'s number and its answer as used. SevError: it is not the next; the key is erased then."""
        used = number + 1
        if number != self.next():
            why = "its sequence number changed"
            self.erase(why)
            raise SevError(why)
        if self._wide:  # first: in between the number is too high, never too low
            struct.pack_into("<I", self._page, _NUMBERS_HIGH + 4 * self.index, used >> 32)
        struct.pack_into("<I", self._page, _NUMBERS_LOW + 4 * self.index, used & 0xFFFFFFFF)
        self._last = used

    @property
    def used(self):
        """-> the last number that was used, an answer's."""
        low = struct.unpack_from("<I", self._page, _NUMBERS_LOW + 4 * self.index)[0]
        high = struct.unpack_from("<I", self._page, _NUMBERS_HIGH + 4 * self.index)[0] if self._wide else 0
        return high << 32 | low
