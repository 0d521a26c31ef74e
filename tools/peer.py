"""The other end of a machine's network card: whole Ethernet frames, in and out, as bytes.

    peer = Peer(folder)
    with Machine(qemu.Options(net=peer.net, ...)):
        peer.send(frame)
        answer = peer.expect(lambda frame: frame[12:14] == b"\\x08\\x06", 5)

QEMU connects to a unix socket here; a machine that is started again connects again. Functions in `handlers` see each
frame of the machine as it comes, on the reading thread. Source: QEMU's net/stream.c: 4 bytes of length, big-endian,
before each frame; both directions. Frames carry their checksums complete: this backend offers the machine no offload.
"""

import collections
import os
import pathlib
import socket
import struct
import threading
import time

MAX_FRAME = 65536 + 18
KEPT = 4096      # frames that expect() can still find
PCAP_HEAD = struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)  # microseconds, Ethernet


class PeerError(Exception):
    """The machine did not send what was expected, or its card is not connected."""


class Peer:
    """Listen at FOLDER/wire. net: what qemu.Options takes; handlers: functions of one frame, each called with all of them."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "wire"
        self.net = f"stream:{self.path}"
        self.handlers = []
        self.received = collections.deque(maxlen=KEPT)
        self.count = 0                       # of all frames received
        self._record = None
        self._arrived = threading.Condition()
        self._sending = threading.Lock()
        self._connection = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(1)
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        for s in filter(None, (self._listener, self._connection)):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was not connected
            s.close()
        self.path.unlink(missing_ok=True)
        self.record(None)

    def send(self, *frames):
        """Send frames to the machine; waits while its card takes none. Raises PeerError."""
        data = b"".join(struct.pack(">I", len(frame)) + frame for frame in map(bytes, frames))
        with self._sending:
            try:
                self._connection.sendall(data)
            except (OSError, AttributeError) as e:
                raise PeerError(f"the machine's card is not connected: {e}")
            self._note(*frames)

    def expect(self, match, limit=10):
        """Wait for a frame for which match(frame) is true, drop it and those before it, and return it. Raises PeerError."""
        deadline = time.monotonic() + limit
        with self._arrived:
            while True:
                while self.received:
                    frame = self.received.popleft()
                    if match(frame):
                        return frame
                left = deadline - time.monotonic()
                if left <= 0:
                    raise PeerError(f"no such frame within {limit} s")
                self._arrived.wait(left)

    def ask(self, frame, match, limit=10):
        """Forget what came so far, send a frame, and return the first one after it that matches."""
        self.forget()
        self.send(frame)
        return self.expect(match, limit)

    def forget(self):
        """Drop what was received and not asked for."""
        with self._arrived:
            self.received.clear()

    def quiet(self, seconds, match=lambda frame: True):
        """Wait, and return the frames of the machine meanwhile that match."""
        self.forget()
        time.sleep(seconds)
        with self._arrived:
            return list(filter(match, self.received))

    def record(self, path):
        """Write frames of both directions to a pcap file from now on; None ends it. Source: pcap-savefile(5)."""
        with self._arrived:
            if self._record:
                self._record.close()
            self._record = path and open(path, "wb")
            if self._record:
                self._record.write(PCAP_HEAD)

    def _note(self, *frames):
        if self._record:
            seconds, part = divmod(time.time_ns() // 1000, 1000000)
            for frame in map(bytes, frames):
                self._record.write(struct.pack("<IIII", seconds, part, len(frame), len(frame)) + frame)

    def _serve(self):
        while True:
            try:
                self._connection = self._listener.accept()[0]
            except OSError:
                return  # closed
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            self._read(self._connection)

    def _read(self, connection):
        """Take frames until the machine ends."""
        data = b""
        while True:
            try:
                more = connection.recv(1 << 20)
            except OSError:
                more = b""
            if not more:
                return
            data = data + more if data else more
            at = 0
            while len(data) >= at + 4:
                end = at + 4 + int.from_bytes(data[at:at + 4], "big")
                if end > len(data):
                    break
                self._take(data[at + 4:end])
                at = end
            data = data[at:]

    def _take(self, frame):
        for handler in self.handlers:
            handler(frame)
        with self._arrived:
            self.count += 1
            self._note(frame)
            self.received.append(frame)
            self._arrived.notify_all()
