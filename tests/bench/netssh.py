"""SSH: from the start of OpenSSH's client to the shell's prompt in it, over QEMU's user networking; `net-virtio ... debug` serves.

What of that time the guest takes, from the last byte of the client's to the first of its answer, is seen on the wire, which
QEMU writes down; the rest is the client's, its start and its own computing. Source: QEMU's net/dump.c; pcap-savefile(5).
"""
import os
import pathlib
import select
import statistics
import struct
import subprocess
import tempfile
import time

import qemu

RUNS = 7
REST = 0.2      # s between two connections
LIMIT = 60      # s, for one connection
PROMPT = b"\n> "
OPTIONS = ("-F", "none", "-tt", "-q", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentityFile=none",
           "-o", "IdentityAgent=none")
SYN, ETHERNET, TCP = 2, 14, 6


def to_prompt(port):
    """Run ssh until the prompt is there and return the ms that took."""
    start = time.monotonic()
    process = subprocess.Popen(["ssh", *OPTIONS, "-p", str(port), "root@127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        said = b""
        while PROMPT not in said:
            if not select.select([process.stdout], [], [], LIMIT)[0]:
                raise ValueError(f"no prompt within {LIMIT} s; ssh printed {said!r}")
            more = os.read(process.stdout.fileno(), 65536)
            if not more:
                raise ValueError(f"ssh ended before the prompt; it printed {said!r}")
            said += more
        return (time.monotonic() - start) * 1000
    finally:
        process.kill()
        process.communicate()


def segments(pcap):
    """The TCP segments over IPv4 to port 22 and back: (s, True: from the guest, True: SYN, bytes of data)."""
    at = 24
    while at + 16 <= len(pcap):
        seconds, micro, size = struct.unpack_from("<III", pcap, at)
        frame = pcap[at + 16:at + 16 + size]
        at += 16 + size
        if frame[12:14] != b"\x08\0" or frame[ETHERNET + 9] != TCP:
            continue
        tcp = ETHERNET + 4 * (frame[ETHERNET] & 15)
        length = ETHERNET + struct.unpack_from(">H", frame, ETHERNET + 2)[0] - tcp - 4 * (frame[tcp + 12] >> 4)
        ports = struct.unpack_from(">HH", frame, tcp)
        if 22 in ports:
            yield seconds + micro / 1e6, ports[0] == 22, bool(frame[tcp + 13] & SYN), length


def guest_times(pcap):
    """Of each connection the ms for which its client waited for the guest."""
    times, asked = [], None
    for now, from_guest, syn, length in segments(pcap):
        if syn and not from_guest:
            times.append(0)
        if not from_guest and (syn or length):
            asked = now
        elif from_guest and length and asked is not None:
            times[-1] += (now - asked) * 1000
            asked = None
    return times


def measure(of):
    """{figure: ms of the first connection of a boot; ms of a later one, the median; what of these the guest took; its instructions}."""
    if of.name != "keelback":
        return {}
    port = qemu.free_forwards({22: 0})[22]
    with tempfile.TemporaryDirectory(prefix="keelback-") as folder:
        pcap = pathlib.Path(folder) / "wire"
        with of.boot(net="user", forwards={22: port}, extra=("-object", f"filter-dump,id=dump,netdev=net,file={pcap}")) as guest:
            guest.network("debug")
            times = []
            for _ in range(1 + RUNS):
                time.sleep(REST)
                times.append(to_prompt(port))
            time.sleep(REST)
            own = guest_times(pcap.read_bytes())
    with of.boot(net="user", forwards={22: port}, icount=0, sleep=True) as guest:
        guest.network("debug")
        time.sleep(REST)  # the server's rehearsal, which is not to be counted
        to_prompt(port)
        count = guest.instructions(lambda: to_prompt(port))
    return {"ssh": statistics.median(times[1:]), "ssh, of that the guest": statistics.median(own[1:]),
            "ssh, first": times[0], "ssh, of that first the guest": own[0], "ssh, instructions": count}
