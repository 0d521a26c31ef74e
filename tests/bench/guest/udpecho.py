# Datagrams back to where they came from, port 7. Same program in both guests.
import socket


def main():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(socket.getaddrinfo("0.0.0.0", 7)[0][-1])
    print("udpecho up")
    while True:
        data, address = s.recvfrom(2048)
        s.sendto(data, address)


main()
