# Packets off the wire that claim to come from ourselves are for nobody: a server would answer itself for ever. Others' are.
# with: netcard
import socket, struct, time
from netcard import ARP_ANSWER, HERE, MAC, PEER, THERE, Link, checksum, ipv4

HERE6, THERE6 = b"\xfd\x00" + bytes(13) + b"\x01", b"\xfd\x00" + bytes(13) + b"\x02"
link = Link()
link.up()
link.en.ipv6("fd00::1")
for _ in range(300):
    if ("fd00::1", 64) in link.en.addresses():
        break
    time.sleep_ms(10)
link.give(ARP_ANSWER)


def udp(text):
    return struct.pack(">HHHH", 7, 7, 8 + len(text), 0) + text


def packet(source, text):
    if len(source) == 4:
        return ipv4(udp(text), 17, source=source)
    return MAC + PEER + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, 8 + len(text), 17, 64) + source + HERE6 + udp(text)


for family, sources in ((socket.AF_INET, (HERE, b"\x7f\0\0\1", b"\x7f\1\2\3", THERE)), (socket.AF_INET6, (HERE6, bytes(15) + b"\1", THERE6))):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.bind(socket.getaddrinfo("0.0.0.0" if family == socket.AF_INET else "::", 7)[0][-1])
    s.settimeout(0.1)
    for source in sources:
        link.give(packet(source, b"from %s" % source.hex().encode()))
        link.en.settle()
        try:
            print(s.recv(100))
        except OSError:
            print("nothing")
    s.sendto(b"over the loopback", socket.getaddrinfo("127.0.0.1" if family == socket.AF_INET else "::1", 7)[0][-1])
    print(s.recv(100))
    s.sendto(b"to our own address", socket.getaddrinfo("10.0.0.1" if family == socket.AF_INET else "fd00::1", 7)[0][-1])
    print(s.recv(100))
    s.close()
link.en.remove()
