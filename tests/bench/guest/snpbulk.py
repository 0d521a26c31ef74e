# As bulk.py, in a guest of the SEV-SNP emulator: a client's "t" has the emulator tell the exits since the last time, and is
# told the frames received and sent since, and the calls that sent.
import ghcb
import socket
from shell import network

_VMMCALL, _NUMBER = 0x81, 0x534E5046  # docs/emulator.md
_TALLY = int.from_bytes(b"tally", "little")
_buffer = bytearray(65536)
_frames = [0, 0]
_calls = [0]


def take(c):
    while c.readinto(_buffer):
        pass
    _calls[0] += 1
    c.write(b"done")


def give(c):
    while True:
        _calls[0] += 1
        c.sendall(_buffer)


def tell(c):
    counters = [count for _, count in network.interface.counters()[:2]]
    ghcb.call(_VMMCALL, _TALLY, 0, _NUMBER, 0)
    c.write(b"%d %d %d" % (counters[0] - _frames[0], counters[1] - _frames[1], _calls[0]))
    _frames[:] = counters
    _calls[0] = 1  # this one


def main():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(socket.getaddrinfo("0.0.0.0", 80)[0][-1])
    s.listen(4)
    print("bulk up")
    while True:
        c = s.accept()[0]
        try:
            {b"u": take, b"d": give, b"t": tell}[c.recv(1)](c)
        except OSError:
            pass  # the client has closed
        _calls[0] += 1
        c.close()


main()
