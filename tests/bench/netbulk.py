"""Bulk TCP each way between a guest and the host, in guest instructions per byte and in MB/s. Server: bulk.py.

Over user networking (no offloads, no root), and, with root, over a tap, where the guest may leave checksums and
segmentation to the host, as far as it can: Linux hands over 64 KiB at once there.
"""
import functools
import os
import socket
import time

import netns
import qemu
from netguests import GUEST

MIB = int(os.environ.get("BULK") or 64)     # each way; the project's own measure is 1024
WALL_MIB = max(MIB // 2, 32)
LIMIT = 600     # s, for one transfer
WAYS = ("to guest", "from guest")


def upload(connect, size):
    """Send size bytes and wait for the guest to say that it has them."""
    piece = bytes(1 << 16)
    with connect() as s:
        s.settimeout(LIMIT)
        s.sendall(b"u")
        for _ in range(size // len(piece)):
            s.sendall(piece)
        s.shutdown(socket.SHUT_WR)
        if s.recv(16) != b"done":
            raise ValueError("the guest did not confirm the end of the data")


def download(connect, size):
    """Receive size bytes, then close: what is under way by then is counted too, at most a window."""
    with connect() as s:
        s.settimeout(LIMIT)
        s.sendall(b"d")
        left = size
        while left > 0:
            got = len(s.recv(1 << 20))
            if not got:
                raise ValueError("the guest closed before it had sent all")
            left -= got


def _measured(of, connect, figure, **options):
    """{"WAY, FIGURE": instructions per byte, or MB/s without icount}."""
    figures = {}
    with of.boot(**options) as guest:
        for way, transfer in zip(WAYS, (upload, download)):
            with guest.serving("bulk"):
                transfer(connect, 1 << 20)
                if "icount" in options:
                    figures[f"{way}, {figure}"] = guest.instructions(lambda: transfer(connect, MIB << 20)) / (MIB << 20)
                else:
                    start = time.monotonic()
                    transfer(connect, WALL_MIB << 20)
                    figures[f"{way}, {figure}"] = (WALL_MIB << 20) / 1e6 / (time.monotonic() - start)
    return figures


def over_user(of, **options):
    """{"WAY, user": instructions per byte, or MB/s without icount} over QEMU's user networking."""
    port = qemu.free_forwards({80: 0})[80]
    connect = functools.partial(socket.create_connection, ("127.0.0.1", port), 60)
    return _measured(of, connect, "user", net="user", forwards={80: port}, **options)


def _over_tap(of, **options):
    if netns.why():
        return {}
    with netns.Cable() as cable:
        connect = functools.partial(cable.host.connect, (GUEST, 80), 60)
        return _measured(of, connect, "tap", net=f"tap:{netns.TAP}", prefix=cable.switch.prefix, **options)


def instructions(of):
    """{figure: guest instructions per byte}."""
    return {**over_user(of, icount=0, sleep=True), **_over_tap(of, icount=0, sleep=True)}


def wall(of):
    """{figure: MB/s}, free running."""
    return {**over_user(of), **_over_tap(of)}
