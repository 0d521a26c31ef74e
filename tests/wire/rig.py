"""A machine on a wire, and what its tests know of both ends. Fixtures: conftest.py."""

import ipaddress
import pathlib
import shutil
import socket
import struct
import time

import image
import netns
import qemu
from vm import Machine, VMError

HERE = pathlib.Path(__file__).parent
GUEST, HOST = "10.0.0.1", "10.0.0.2"
MAC = "52:54:00:12:34:56"  # QEMU's first card
GUEST6, LINK6 = "fd00::5054:ff:fe12:3456", "fe80::5054:ff:fe12:3456%eth0"  # what it makes of that; RFC 4291, appendix A
BOTH = (GUEST, GUEST6)  # a test of IPv4 is one of IPv6
STATIC = f"net-virtio {GUEST} 255.255.255.0 {HOST}"
PROMPT3 = rb">>> \Z"


class Rig:
    """A machine on a wire, at its prompt, with its services running. prompt(): is it there and well?"""

    def __init__(self, folder, host, **options):
        volume = folder / "volume"
        files = folder / "files"
        files.mkdir()
        shutil.copy(HERE / "services.py", files)
        image.make_folder(volume, qemu.BUILD / "keelback.efi", [files])
        self.folder, self.host, self.vm = folder, host, None
        self._options = {"volume": volume, **options}

    def start(self, command=STATIC):
        """Boot the machine anew, start its network with a command, and its services."""
        self.close_machine()
        self.vm = Machine(qemu.Options.from_environment(**self._options))
        self.vm.start()
        self.vm.wait_prompt()
        self.up(command)

    def up(self, command=STATIC):
        """Start the network and the services, from the shell's prompt."""
        answer = self.vm.command(command)
        assert "network initialized" in answer, answer
        self.advertise()
        self.python("import sys; sys.modules.pop('services', None); import services")

    def advertise(self, limit=20):
        """Be a router on the link until the machine has an address in the host's IPv6 network. Source: RFC 4861, 4.2; RFC 4862."""
        prefix = ipaddress.ip_interface(netns.HOST6).network
        option = struct.pack(">BBBBIII16s", 3, 4, prefix.prefixlen, 0xC0, 7200, 3600, 0, prefix.network_address.packed)
        deadline = time.monotonic() + limit
        with self.host.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as s:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            while self.host.run("ping", "-c1", "-W1", GUEST6, check=False).returncode:
                assert time.monotonic() < deadline, f"{GUEST6} does not answer; net shows {self.counters()}"
                s.sendto(struct.pack(">BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0) + option, ("ff02::1%eth0", 0))

    def python(self, *lines, limit=30):
        """Type lines at a REPL in the machine, whose other tasks go on, and return what the last one printed."""
        self.vm.send("python\r")
        self.vm.expect(PROMPT3, limit)
        for line in lines:
            self.vm.send(line + "\r")
            printed = self.vm.expect(rb"\n(.*?)" + PROMPT3, limit)[1]
        self.vm.send("\x04")
        self.vm.wait_prompt(limit)
        return printed.decode().replace("\r", "").strip()

    def counters(self):
        """What `net` shows: {name: text}; of addresses the last."""
        rows = (line.partition(":") for line in self.vm.command("net").splitlines())
        return {name.rstrip(" ."): value.strip() for name, _, value in rows}

    def well(self):
        """Is the machine at its prompt and does it answer?"""
        try:
            self.vm.send("\x03\r")
            self.vm.wait_prompt(10)
        except VMError:
            return False
        return self.host.run("ping", "-c1", "-W5", GUEST, check=False).returncode == 0

    def close_machine(self):
        if self.vm:
            self.vm.kill()
