"""Join a Peer with a tap, so that the kernel of a namespace and a machine share a wire on which things go wrong.

    relay = Relay(peer, namespace)                  # eth0 in the namespace, 10.0.0.2/24 and fd00::2/64
    relay.trouble(Trouble(loss=0.05, duplicate=0.02, seed=1))

What `tc netem` does, in both directions, on every kernel, and the same for the same seed and frames. Frames are lost,
doubled, held back (so that later ones overtake them), delayed, changed in one bit, or sent at a rate, in that order.
Source: tuntap (Linux, Documentation/networking/tuntap.rst), tc-netem(8) for the meaning of the words.
"""

import dataclasses
import fcntl
import heapq
import os
import random
import select
import struct
import threading
import time

import netns
from peer import PeerError

DEVICE = "eth0"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000
BURST = 64    # frames taken from the host at once
QUEUE = 1000  # frames that wait in one direction, as netem's limit; more are lost


@dataclasses.dataclass
class Trouble:
    """Shares from 0 to 1 of the frames; delay and jitter in s; rate in bytes/s, 0: as fast as it goes."""

    loss: float = 0
    duplicate: float = 0
    reorder: float = 0
    corrupt: float = 0
    delay: float = 0
    jitter: float = 0
    rate: float = 0
    hold: float = 0.01  # s, for which a frame that is to be overtaken is held back
    seed: int = 1


class _Direction:
    """Frames of one direction, and when they are due."""

    def __init__(self, trouble, seed, deliver):
        self.trouble, self.deliver = trouble, deliver
        self.count = {"in": 0, "lost": 0, "duplicated": 0, "reordered": 0, "corrupted": 0, "overrun": 0}
        self.lock = threading.Lock()
        self._random = random.Random(seed)
        self._queue, self._number, self._free = [], 0, 0.0

    def put(self, frame, now):
        t, rnd = self.trouble, self._random.random
        self.count["in"] += 1
        if rnd() < t.loss:
            self.count["lost"] += 1
            return
        for _ in range(1 + self._happens("duplicated", t.duplicate)):
            due = now + t.delay + (rnd() * t.jitter if t.jitter else 0)
            if self._happens("reordered", t.reorder):
                due += t.hold
            copy = self._changed(frame) if self._happens("corrupted", t.corrupt) else frame
            if t.rate:
                self._free = due = max(due, self._free) + len(frame) / t.rate
            if len(self._queue) >= QUEUE:
                self.count["overrun"] += 1
                continue
            self._number += 1
            heapq.heappush(self._queue, (due, self._number, copy))

    def _happens(self, what, share):
        happens = bool(share) and self._random.random() < share
        self.count[what] += happens
        return happens

    def _changed(self, frame):
        """Flip a bit behind the Ethernet header: with another destination it would be lost, which loss is for."""
        data = bytearray(frame)
        data[self._random.randrange(14, len(data))] ^= 1 << self._random.randrange(8)
        return bytes(data)

    def advance(self, now):
        """Deliver what is due and return the time of the next, or None."""
        due = []
        while self._queue and self._queue[0][0] <= now:
            due.append(heapq.heappop(self._queue)[2])
        if due:
            self.count["overrun"] += len(due) - self.deliver(due)
        return self._queue[0][0] if self._queue else None


class Relay:
    """The wire between a peer's machine and eth0 of a namespace. closed by close(); the peer stays."""

    def __init__(self, peer, namespace):
        self.peer = peer
        self._tap = namespace.call(_open_tap)
        self._wake, self._woken = os.pipe()
        self._directions = ()
        self._open = True
        namespace.run("sh", "-c", f"cd /proc/sys/net/ipv6/conf/{DEVICE} && echo 0 >accept_ra && echo 0 >accept_dad")
        namespace.run("ip", "link", "set", DEVICE, "up")
        namespace.run("ip", "addr", "add", netns.HOST, "dev", DEVICE)
        namespace.run("ip", "addr", "add", netns.HOST6, "dev", DEVICE, "nodad")
        self.trouble(Trouble())
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        peer.handlers.append(self._from_machine)

    def trouble(self, trouble):
        """From now on, what goes wrong in both directions. Frames under way are lost. Returns both directions' counters up to here."""
        before = self._directions
        self._directions = (_Direction(trouble, trouble.seed, self._to_host), _Direction(trouble, trouble.seed + 1, self._to_machine))
        return [direction.count for direction in before]

    def close(self):
        self.peer.handlers.remove(self._from_machine)
        self._open = False
        os.write(self._woken, b"x")
        self._thread.join()
        for fd in (self._tap, self._wake, self._woken):
            os.close(fd)

    def _from_machine(self, frame):
        """On the peer's thread. Without a delay the frame goes straight on."""
        direction = self._directions[0]
        with direction.lock:
            direction.put(frame, time.monotonic())
            if direction.advance(time.monotonic()) is not None:
                os.write(self._woken, b"x")

    def _to_host(self, frames):
        """Hand frames to the kernel and return how many it took."""
        taken = 0
        for frame in frames:
            try:
                taken += os.write(self._tap, frame) == len(frame)
            except OSError:
                pass  # no memory, or shorter than an Ethernet header: it counts as lost
        return taken

    def _to_machine(self, frames):
        try:
            self.peer.send(*frames)
        except PeerError:
            return 0  # the machine is away; a cable without an end loses what it carries
        return len(frames)

    def _run(self):
        while self._open:
            due = [t for t in map(self._advance, self._directions) if t is not None]
            ready, _, _ = select.select([self._tap, self._wake], [], [], max(0, min(due) - time.monotonic()) if due else None)
            if self._wake in ready:
                os.read(self._wake, 65536)
            if self._tap in ready:
                self._read_tap()

    def _advance(self, direction):
        with direction.lock:
            return direction.advance(time.monotonic())

    def _read_tap(self):
        """Take what the host sent."""
        now, direction = time.monotonic(), self._directions[1]
        try:
            with direction.lock:
                for _ in range(BURST):
                    direction.put(os.read(self._tap, 65536), now)
        except BlockingIOError:
            pass  # that was all


def _open_tap():
    fd = os.open(netns.TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), IFF_TAP | IFF_NO_PI))
    return fd
