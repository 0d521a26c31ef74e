# getaddrinfo of numeric addresses, and of names that nobody knows.
import socket

print(socket.getaddrinfo("127.0.0.1", 80))
print(socket.getaddrinfo("::1", 80, 0, socket.SOCK_DGRAM, 17))
print(socket.getaddrinfo("fe80::1", 80, socket.AF_INET6)[0][-1], socket.getaddrinfo("::ffff:1.2.3.4", 1)[0])
print(socket.getaddrinfo("localhost", 1)[0], socket.getaddrinfo("localhost", 1, socket.AF_INET6)[0])
print(socket.getaddrinfo("", 1)[0][-1], socket.getaddrinfo(None, 1, socket.AF_INET6)[0][-1])
for args in (("127.0.0.1", 80, socket.AF_INET6), ("::1", 80, socket.AF_INET), ("x" * 300, 1), ("a\0b", 1), ("nobody.example", 1)):
    try:
        print(socket.getaddrinfo(*args))
    except (OSError, ValueError) as e:
        print(e)

import netif

print(netif.dns_servers())
netif.dns_servers(["10.0.0.3", "fd00::3"])
print(netif.dns_servers())
for wrong in (["x"], ["1.1.1.1"] * 5, 3):
    try:
        netif.dns_servers(wrong)
    except (ValueError, TypeError) as e:
        print(e)
print(netif.dns_servers())
netif.dns_servers([])
print(netif.dns_servers())
netif.dns_servers(["192.0.2.1"], True)
print(netif.dns_servers())
netif.dns_servers(["192.0.2.2"])
print(netif.dns_servers())
netif.dns_servers([])
netif.dns_servers([], True)
print(netif.dns_servers())
