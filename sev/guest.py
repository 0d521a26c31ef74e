"""This machine as an SEV-SNP guest: what firmware and secure processor left for it, and a channel for each key.

    guest = Guest(tables)                    # (GUID bytes, address) of the firmware's configuration tables
    report = guest.report(data)              # 64 bytes -> 0x4a0 bytes
    key = guest.derive()  # a bytearray of 32, to be wiped

One object for as long as the interpreter lives: a channel may hold a message that has no answer yet. Without SEV-SNP, and
where the firmware's story does not fit what the processor says, making it raises SevError with one line.
"""

# SPDX-License-Identifier: BSD-3-Clause

import ghcb
import mem

from sev import blob, kdf, requests, status
from sev.channel import Channel
from sev.cpuidpage import Table
from sev.error import SevError
from sev.machine import Machine
from sev.payload import EITHER, KeyRequest
from sev.secrets import Secrets

# Features of SEV_STATUS that boot/ has code for.
IMPLEMENTED = status.DEBUG_SWAP | status.SECURE_TSC


def available():
    """-> True in an SEV-SNP guest."""
    return bool(ghcb.sev_status() & status.SNP)


class Guest:
    """status: SEV_STATUS; blob: blob.Blob; secrets: secrets.Secrets; cpuid: cpuidpage.Table; vmpl: the level we run at."""

    def __init__(self, tables):
        self.status = ghcb.sev_status()
        if not self.status & status.SNP:
            raise SevError("SEV-SNP is not available")
        self.blob = blob.find(tables)
        status.check(self.status, self.blob is not None, IMPLEMENTED)
        self.secrets = Secrets(_page(self.blob.secrets_addr, "secrets page"))
        self.vmpl = self.secrets.vmpl
        self.cpuid = Table(bytes(_page(self.blob.cpuid_addr, "CPUID page")))
        if self.cpuid.memory.cbit != ghcb.c_bit():
            raise SevError("the CPUID page has the C-bit at %d, the page tables at %d" % (self.cpuid.memory.cbit, ghcb.c_bit()))
        self._machine = Machine()
        self._channels = {}

    def channel(self, index=None):
        """-> the channel.Channel of a VMPCK, of our own VMPL's if None; always the same one. ValueError: no such key."""
        key = self.secrets.key(index)
        if key.index not in self._channels:
            self._channels[key.index] = Channel(self._machine, key)
        return self._channels[key.index]

    def report(self, data, vmpl=None, key=EITHER):
        """-> as requests.report(), of our own VMPL if None."""
        return requests.report(self.channel(), data, self._level(vmpl), key)

    def extended_report(self, data, vmpl=None, key=EITHER):
        """-> as requests.extended_report()."""
        return requests.extended_report(self.channel(), data, self._level(vmpl), key)

    def key_request(self, **changes):
        """-> kdf.DEFAULT at our own VMPL, some of its parts given other values."""
        values = dict(zip(("fields", "vmpl", "svn", "tcb", "mit_vector", "key", "vmrk"), kdf.DEFAULT))
        values["vmpl"] = self.vmpl
        values.update(changes)
        return KeyRequest(**values)

    def derive(self, request=None):
        """-> as kdf.derive(), of key_request() if None: a bytearray that the caller wipes."""
        return kdf.derive(self.channel(), request or self.key_request())

    def ssh_host_key(self):
        """-> as kdf.ssh_host_key(): bytes that the caller wipes."""
        return kdf.ssh_host_key(self.channel(), self.key_request(fields=kdf.SSH_HOST_KEY.fields))

    def tsc_info(self):
        """-> payload.TSCInfo."""
        return requests.tsc_info(self.channel())

    def _level(self, vmpl):
        return self.vmpl if vmpl is None else vmpl


def _page(addr, what):
    """-> the page itself, no copy."""
    try:
        return mem.view(addr, blob.PAGE_LEN)
    except OSError:
        raise SevError("the %s at %#x is not mapped" % (what, addr))
