# Bulk data over one TCP connection at a time: a client's first byte says which way. "u": we take all it sends and answer
# "done"; "d": we send until it closes. Same program in both guests; port 80, one buffer of 64 KiB.
import socket

_buffer = bytearray(65536)


def take(c):
    while c.readinto(_buffer):
        pass
    c.write(b"done")


def give(c):
    send = getattr(c, "sendall", None) or c.write  # the unix port has no sendall
    while True:
        send(_buffer)


def main():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(socket.getaddrinfo("0.0.0.0", 80)[0][-1])
    s.listen(4)
    print("bulk up")
    while True:
        c = s.accept()[0]
        try:
            (take if c.recv(1) == b"u" else give)(c)
        except OSError:
            pass  # the client has closed
        c.close()


main()
