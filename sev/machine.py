"""The machine that a channel works on: module ghcb for the exit, mem.dma for shared pages, clock for the time.

Source: GHCB specification (56421), SNP guest request and extended guest request.
"""

# SPDX-License-Identifier: BSD-3-Clause

import time

import clock
import ghcb
import mem

from sev.error import SevError

_PAGE_LEN = 4096


class Machine:
    """What sev/channel.py wants of one."""

    def shared(self, pages):
        """-> pages that the host may read and write, zeroed: .addr, .view, .free(). SevError: the host does not share them."""
        try:
            return mem.dma(pages * _PAGE_LEN)
        except OSError as e:
            raise SevError("the host shares no memory (%s)" % e)

    def guest_request(self, code, info1, info2, rax, rbx):
        """-> (EXITINFO1, EXITINFO2, RBX) after one VMGEXIT. SevError: the exit itself is void; whether it was taken nobody knows."""
        try:
            info1, info2, _, rbx = ghcb.call(code, info1, info2, rax, rbx)
        except OSError as e:
            raise SevError("the host answers no exit (%s)" % e)
        return info1, info2, rbx

    def now_ms(self):
        return clock.ns() // 1000000

    def sleep_ms(self, n):
        """The network goes on meanwhile, other tasks do not; Ctrl-C ends it."""
        time.sleep_ms(n)
