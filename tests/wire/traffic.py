"""Traffic that the tests share: bulk data each way with its digest compared, echoes, and tcpdump's verdict on checksums."""

import contextlib
import hashlib
import os
import random
import re
import socket
import time

import services_blocks

LIMIT = 120  # s, for a transfer


def upload(host, address, size, seed=1):
    """Send size bytes of noise to the discard service; the machine's digest must be ours."""
    data = random.Random(seed).randbytes(1 << 16)
    digest, left = hashlib.sha256(), size
    with host.connect((address, 9)) as s:
        s.settimeout(LIMIT)
        while left:
            piece = data[:left]
            s.sendall(piece)
            digest.update(piece)
            left -= len(piece)
        s.shutdown(socket.SHUT_WR)
        answer = read_all(s)
    assert answer.decode() == f"{size} {digest.hexdigest()}\n"


def download(host, address, size, slow=0):
    """Fetch size bytes from the source service and compare them. slow: s to rest after each 64 KiB."""
    with host.connect((address, 19)) as s:
        s.settimeout(LIMIT)
        s.sendall(b"%d\n" % size)
        received = read_all(s, slow)
    assert len(received) == size and received == services_blocks.expected(size)


def echo(host, address, data, piece=16384):
    """Send data to the echo service, piece by piece, each compared before the next."""
    with host.connect((address, 7)) as s:
        s.settimeout(LIMIT)
        for at in range(0, len(data), piece):
            s.sendall(data[at:at + piece])
            assert read_exactly(s, len(data[at:at + piece])) == data[at:at + piece]
        s.shutdown(socket.SHUT_WR)
        assert read_all(s) == b""


def udp_echo(host, address, data, tries=1, limit=5):
    """Send a datagram to the echo service and return whether it came back, the same."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with host.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(limit)
        for _ in range(tries):
            s.sendto(data, (address, 7))
            with contextlib.suppress(TimeoutError):
                assert s.recvfrom(65535)[0] == data
                return True
    return False


def read_all(s, slow=0):
    received = bytearray()
    while piece := s.recv(65536):
        received += piece
        if slow:
            time.sleep(slow)
    return bytes(received)


def read_exactly(s, size):
    received = bytearray()
    while len(received) < size:
        piece = s.recv(size - len(received))
        assert piece, f"the machine closed after {len(received)} of {size} bytes"
        received += piece
    return bytes(received)


@contextlib.contextmanager
def captured(host, path, device="eth0"):
    """Record what comes in at a device while the with statement runs."""
    words = ("tcpdump", "-i", device, "-U", "-B", "8192", "-Q", "in", "-w", path)
    with host.started(*words, stderr=open(os.devnull, "wb")):
        deadline = time.monotonic() + 20
        while not path.exists() or not path.stat().st_size:  # its header says that it listens
            assert time.monotonic() < deadline, "tcpdump does not start"
            time.sleep(0.02)
        yield
        time.sleep(0.3)  # what is on its way


def verdict(host, path):
    """Let tcpdump check the checksums in a capture. Returns how many packets it saw; fails for one that is wrong."""
    said = host.run("tcpdump", "-r", path, "-nvv", "-s0").stdout
    wrong = [line for line in said.splitlines() if re.search(r"incorrect|bad (\w+ )?cksum|wrong|bad length|truncated|\|\w+\]", line)]
    assert not wrong, "\n".join(wrong[:5])
    return len(re.findall(r"^\d\d:\d\d:", said, re.M))
