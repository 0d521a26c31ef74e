"""Addresses from dnsmasq and from router advertisements made by hand: leases, renewal, refusal, name servers, MTU, lifetimes."""

import contextlib
import re
import socket
import struct
import time

import pytest

from rig import STATIC

DNSMASQ = "/usr/sbin/dnsmasq"
POOL = "10.0.0.50,10.0.0.60,255.255.255.0,120s"  # the shortest lease that it gives
OTHER_POOL = "10.0.0.70,10.0.0.80,255.255.255.0,120s"
NAMES = ("--host-record=golang.org,142.251.209.17,2a00:1450:4002:410::2011",)
ROUTER = ("--enable-ra", "--dhcp-range=fd00::,ra-only,64,600s", "--dhcp-option=option6:dns-server,[fd00::2]", "--ra-param=eth0,10,1800")
RA, RS = 134, 133


@contextlib.contextmanager
def dnsmasq(rig, pool, *options):
    """Run dnsmasq for the pool; yields a function that counts what it logged."""
    log, leases = rig.folder / "dnsmasq.log", rig.folder / "leases"
    leases.unlink(missing_ok=True)
    with log.open("wb") as out, rig.host.started(
            DNSMASQ, "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--interface=eth0", "--except-interface=lo",
            "--bind-interfaces", f"--dhcp-range={pool}", f"--dhcp-leasefile={leases}", "--dhcp-authoritative", "--no-ping", "--log-dhcp", *NAMES,
            *options, stdout=out, stderr=out) as process:
        until(lambda: b"DHCP, IP range" in log.read_bytes(), 10)
        yield lambda word: len(re.findall(rf"\b{word}\b", log.read_text()))
        assert process.poll() is None, log.read_text()


@pytest.fixture(scope="module")
def _restored(_wire):
    """Behind these tests the machine has the network again that others expect."""
    yield
    if _wire.vm:
        assert "initialized" in _wire.vm.command(STATIC)  # its services still listen
        _wire.advertise()


@pytest.fixture
def rig(wire, _restored):
    """The machine on its wire, without a network."""
    wire.vm.command("net-down")
    return wire


def until(condition, limit):
    """Wait until condition() is true. limit: s."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.2)


def address(said):
    return re.search(r"network initialized \((10\.0\.0\.\d+)/24", said)[1]


def test_lease(rig):
    """Address, mask, gateway and name server of the lease; the server knows the machine's name and that it is alive."""
    with dnsmasq(rig, POOL) as count:
        leased = address(rig.vm.command("net-virtio"))
        assert 50 <= int(leased.split(".")[3]) <= 60
        assert count("DHCPDISCOVER") == count("DHCPACK") == 1
        assert f"{leased} keelback" in (rig.folder / "leases").read_text()
        assert re.search(r"Gateway \.*: 10\.0\.0\.2", rig.vm.command("net"))
        assert rig.vm.command("dns golang.org").strip() == "[142.251.209.17 2a00:1450:4002:410::2011]"
        assert rig.python("import socket", "print(socket.getaddrinfo('golang.org', 80)[0][-1][0])") == "142.251.209.17"
        assert rig.host.run("ping", "-c1", "-W5", leased).returncode == 0
        assert address(rig.vm.command("net-virtio")) == leased  # again, from the beginning


def test_renewal_and_refusal(rig):
    """A renewal keeps the address; a server that knows it no more says no, and a new one is asked for."""
    with dnsmasq(rig, POOL) as count:
        leased = address(rig.vm.command("net-virtio"))
        requests = count("DHCPREQUEST")
        rig.python("import network", "network.VirtIO().ipconfig(dhcp4=True)")
        until(lambda: count("DHCPREQUEST") > requests and count("DHCPACK") >= 2, 20)
        assert count("DHCPDISCOVER") == 1 and leased in rig.vm.command("net")
    with dnsmasq(rig, OTHER_POOL) as count:
        rig.python("import network", "network.VirtIO().ipconfig(dhcp4=True)")
        until(lambda: count("DHCPNAK") >= 1 and count("DHCPACK") >= 1, 60)
        until(lambda: re.search(r"Address \.*: 10\.0\.0\.7\d/24", rig.vm.command("net")), 20)


def test_renewal_by_itself(rig):
    """The machine sleeps at its prompt and renews when it is time."""
    with dnsmasq(rig, POOL, "--dhcp-option=option:T1,10") as count:
        leased = address(rig.vm.command("net-virtio"))
        requests = count("DHCPREQUEST")
        until(lambda: count("DHCPREQUEST") > requests, 30)
        assert count("DHCPDISCOVER") == 1 and leased in rig.vm.command("net")


def test_nobody_answers(rig):
    """One line after a while; Ctrl-C does not wait for it; there is no half network."""
    rig.vm.send("net-virtio\r")
    rig.vm.expect(rb"net-virtio\r\n", 10)
    time.sleep(1)
    start = time.monotonic()
    rig.vm.send("\x03")
    assert "interrupted" in rig.vm.wait_prompt(5) and time.monotonic() - start < 3
    assert "no network" in rig.vm.command("net")
    assert "command error" in rig.vm.command("net-virtio", 60)
    assert "no network" in rig.vm.command("net")


def test_mtu(rig):
    """Option 26 makes packets smaller, never larger than the card's, and nonsense is passed over."""
    for given, used in (("1400", 1400), ("9000", 1500), ("67", 1500)):
        with dnsmasq(rig, POOL, f"--dhcp-option=option:mtu,{given}"):
            leased = address(rig.vm.command("net-virtio"))
            for size in (56, 2000):
                assert rig.host.run("ping", "-c1", "-W5", f"-s{size}", leased, check=False).returncode == 0, (given, size)
            assert re.search(rf"MTU \.*: {used}\n", rig.vm.command("net")), given


def test_router_advertisements(rig):
    """SLAAC beside DHCP: an address of the prefix, the router's name server behind DHCP's, and answers over both."""
    with dnsmasq(rig, POOL, *ROUTER):
        leased = address(rig.vm.command("net-virtio"))
        until(lambda: "fd00::5054:ff:fe12:3456" in rig.vm.command("net"), 20)
        assert rig.python("import netif", "print(netif.dns_servers())") == "['10.0.0.2', 'fd00::2']"
        rig.python("import netif; netif.dns_servers(['fd00::2'])")
        assert rig.vm.command("dns golang.org").strip() == "[142.251.209.17 2a00:1450:4002:410::2011]"
        rig.python("import netif; netif.dns_servers([])")
        for target in (leased, "fd00::5054:ff:fe12:3456"):
            assert rig.host.run("ping", "-c1", "-W5", target).returncode == 0
        assert rig.python("import network; nic = network.VirtIO()", "print(nic.ipconfig('has_autoconf6'))") == "True"


def advertise(rig, valid, rdnss):
    """Send a router advertisement for fd01::/64 with these lifetimes (s), and the name server fd01::53."""
    s = rig.host.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    with s:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        prefix = struct.pack(">BBBBIII", 3, 4, 64, 0xC0, valid, valid, 0) + socket.inet_pton(socket.AF_INET6, "fd01::")
        server = struct.pack(">BBHI", 25, 3, 0, rdnss) + socket.inet_pton(socket.AF_INET6, "fd01::53")
        message = struct.pack(">BBHBBHII", RA, 0, 0, 64, 0, 1800, 0, 0) + prefix + server
        s.sendto(message, ("ff02::1", 0, 0, rig.host.call(socket.if_nametoindex, "eth0")))


def test_lifetimes(rig):
    """What a router announced is gone when its time is over, and stays while it is announced again."""
    rig.vm.command(STATIC)
    advertise(rig, 4, 4)
    until(lambda: "fd01::5054" in rig.vm.command("net"), 5)
    assert "fd01::53" in rig.python("import netif", "print(netif.dns_servers())")
    for _ in range(3):
        time.sleep(2)
        advertise(rig, 4, 4)
    assert "fd01::5054" in rig.vm.command("net")
    until(lambda: "fd01::5054" not in rig.vm.command("net"), 20)
