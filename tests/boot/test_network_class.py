"""network.VirtIO as programs for other MicroPython boards use it, agreeing with the shell; such programs' calls over it."""

import contextlib
import http.server
import re
import socket
import socketserver
import struct
import threading
import time

import pytest

import image
import qemu
from prompt import Prompt, free_port
from vm import Machine

pytestmark = pytest.mark.xdist_group("network-class")  # one worker has the machine

EFI = qemu.BUILD / "keelback.efi"
# What the libraries of micropython-lib do with sockets, call for call.
PROGRAMS = """
import json, select, socket, struct, time

def connect():
    import network
    nic = network.VirtIO()
    nic.active(True)
    while not nic.isconnected():
        pass
    return nic

class Response:
    def __init__(self, s, status):
        self.raw, self.status_code = s, status
    @property
    def content(self):
        try:
            return self.raw.read()
        finally:
            self.raw.close()
    def json(self):
        return json.loads(self.content)

def request(method, url, data=None):                    # requests
    proto, _, host, path = url.split("/", 3)
    host, _, port = host.partition(":")
    ai = socket.getaddrinfo(host, int(port), 0, socket.SOCK_STREAM)[0]
    s = socket.socket(ai[0], socket.SOCK_STREAM, ai[2])
    s.settimeout(20)
    s.connect(ai[-1])
    s.write(b"%s /%s HTTP/1.0\\r\\n" % (method, path))
    s.write(b"Host: %s\\r\\n" % host)
    if data:
        s.write(b"Content-Length: %d\\r\\n" % len(data))
    s.write(b"Connection: close\\r\\n\\r\\n")
    if data:
        s.write(data)
    status = int(s.readline().split(None, 2)[1])
    while True:
        line = s.readline()
        if not line or line == b"\\r\\n":
            return Response(s, status)

def ntptime(host, port):                                # ntptime.time()
    query = bytearray(48)
    query[0] = 0x1B
    addr = socket.getaddrinfo(host, port)[0][-1]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.settimeout(5)
        s.sendto(query, addr)
        msg = s.recv(48)
    finally:
        s.close()
    return struct.unpack("!I", msg[40:44])[0] - 2208988800

def mqtt(host, port):                                   # umqtt.simple: connect, publish, wait_msg, disconnect
    sock = socket.socket()
    sock.settimeout(None)
    sock.connect(socket.getaddrinfo(host, port)[0][-1])
    sock.write(b"\\x10\\x0f\\0\\4MQTT\\4\\2\\0\\x3c\\0\\3abc", 17)
    assert sock.read(4) == b"\\x20\\2\\0\\0"
    sock.write(b"\\x30\\x07\\0\\1t")
    sock.write(b"data")
    sock.setblocking(False)
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    assert poller.poll(10000)
    sock.setblocking(True)
    topic = sock.read(1) + sock.read(1) + sock.read(7)
    sock.write(b"\\xe0\\0")
    sock.close()
    return topic
"""


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(b'{"numbers": [1, 2, 3]}')

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"]))[::-1])

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Broker(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(20)
        assert self.request.recv(100).startswith(b"\x10\x0f\0\4MQTT")
        self.request.sendall(b"\x20\2\0\0")
        said = b""
        while not said.endswith(b"data"):
            said += self.request.recv(100)
        self.request.sendall(said)


class Clock(socketserver.BaseRequestHandler):
    def handle(self):
        message, s = self.request
        s.sendto(bytes([0x1C]) + bytes(39) + struct.pack(">II", int(time.time()) + 2208988800, 0), self.client_address)


@contextlib.contextmanager
def serving(kind, handler):
    """Serve in threads on a port of the loopback; yields the port."""
    with kind(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(scope="module")
def prompt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    files = folder / "files"
    files.mkdir()
    (files / "programs.py").write_text(PROGRAMS)
    image.make_folder(folder / "volume", EFI, [files])
    port = free_port()
    with Machine(qemu.Options.from_environment(volume=folder / "volume", net="user", forwards={80: port})) as vm:
        vm.wait_prompt()
        prompt = Prompt(vm, "import network, programs")
        prompt.port = port
        yield prompt


def test_before_it_is_active(prompt):
    prompt.run("nic = network.VirtIO()")
    assert prompt.run("print(nic.active(), nic.isconnected(), nic.status())") == "False False 0"
    assert "the card is not active" in prompt.run("nic.ipconfig('addr4')")
    assert "the card is not active" in prompt.run("nic.config('mac')")
    assert "AttributeError" in prompt.run("network.Wonder")
    assert "ValueError: invalid MAC" in prompt.run(r"nic.config(mac=b'\1\2\3\4\5\6')")


def test_dhcp(prompt):
    """The loop that every example has; then each question."""
    prompt.run("nic = programs.connect()")
    assert prompt.run("print(nic.active(), nic.isconnected(), nic.status())") == "True True 3"
    address = re.fullmatch(r"\('(10\.0\.0\.\d+)', '255\.255\.255\.0'\)", prompt.run("print(nic.ipconfig('addr4'))"))[1]
    assert prompt.run("print(nic.ipconfig('gw4'), nic.ipconfig('dhcp4'), nic.ipconfig('has_dhcp4'))") == "10.0.0.2 True True"
    assert prompt.run("print(nic.ifconfig())") == f"('{address}', '255.255.255.0', '10.0.0.2', '10.0.0.3')"
    assert prompt.run("print(nic.config('mac').hex(), nic.config('mtu'))") == "525400123456 1500"
    assert re.fullmatch(rf"<VirtIO 3 {address}( [0-9a-f:]+)*>", prompt.run("print(nic)"))
    assert prompt.run("print(network.ipconfig('dns'))") == "10.0.0.3"
    assert "ValueError" in prompt.run("nic.config('essid')")
    assert "ValueError" in prompt.run("nic.ipconfig('nonsense')")
    assert "TypeError" in prompt.run("nic.ipconfig()")
    assert prompt.run("print(network.VirtIO().ipconfig('addr4')[0])") == address


def test_shell_and_class_are_about_one_interface(prompt):
    prompt.leave()
    assert re.search(r"Interface \.*: virtio\nMAC", prompt.vm.command("net"))
    prompt.vm.command("net-down")
    prompt.__init__(prompt.vm, "import network, programs; nic = network.VirtIO()")
    assert prompt.run("print(nic.active())") == "False"
    prompt.leave()
    prompt.vm.command("net-virtio 10.0.0.7 255.255.255.0 10.0.0.2")
    prompt.__init__(prompt.vm, "import network, programs; nic = network.VirtIO()")
    assert prompt.run("print(nic.active(), nic.ifconfig()[0])") == "True 10.0.0.7"
    prompt.run("nic.active(False)")
    prompt.leave()
    assert "no network" in prompt.vm.command("net")
    prompt.__init__(prompt.vm, "import network, programs; nic = network.VirtIO()")


def test_static(prompt):
    prompt.run(r"nic.active(False); nic.config(mac=b'\2\0\0\0\0\7'); nic.active(True)")
    prompt.run("nic.ipconfig(gw4='10.0.0.2', addr4='10.0.0.1/25')")
    assert prompt.run("print(nic.ipconfig('addr4'), nic.ipconfig('gw4'), nic.ipconfig('dhcp4'), nic.config('mac').hex())") == \
        "('10.0.0.1', '255.255.255.128') 10.0.0.2 False 020000000007"
    assert "the card is active" in prompt.run(r"nic.config(mac=b'\2\0\0\0\0\7')")
    assert "invalid prefix" in prompt.run("nic.ipconfig(addr4='10.0.0.1/33')")
    prompt.run("nic.ipconfig(addr4=('10.0.0.9', '255.255.255.0'))")
    assert prompt.run("print(nic.ipconfig('addr4'), nic.ipconfig('gw4'))") == "('10.0.0.9', '255.255.255.0') 10.0.0.2"
    prompt.run("nic.ifconfig(('10.0.0.1', '255.255.255.0', '10.0.0.2', '10.0.0.3'))")
    assert prompt.run("print(nic.ifconfig())") == "('10.0.0.1', '255.255.255.0', '10.0.0.2', '10.0.0.3')"
    prompt.run("nic.ipconfig(addr6='fd00::1')")
    assert "'fd00::1'" in prompt.run("print(nic.ipconfig('addr6'))").lower()
    prompt.run("nic.ifconfig('dhcp')")
    assert prompt.run("print(nic.ipconfig('has_dhcp4'))") == "True"


def test_programs_of_micropython_lib(prompt):
    prompt.run("nic.active() or programs.connect()")
    with serving(http.server.ThreadingHTTPServer, Site) as port:
        assert prompt.run(f"print(programs.request('GET', 'http://10.0.0.2:{port}/x').json()['numbers'])") == "[1, 2, 3]"
        assert prompt.run(f"print(programs.request('POST', 'http://10.0.0.2:{port}/x', b'ab' * 5000).content == b'ba' * 5000)") == "True"
    with serving(socketserver.ThreadingTCPServer, Broker) as port:
        assert prompt.run(f"print(programs.mqtt('10.0.0.2', {port}))") == r"b'0\x07\x00\x01tdata'"
    with serving(socketserver.ThreadingUDPServer, Clock) as port:
        assert abs(int(prompt.run(f"print(programs.ntptime('10.0.0.2', {port}))")) - time.time()) < 10


def test_firmware_mode(boot):
    """network.UEFI there, and one line for network.VirtIO; in bare mode the other way round."""
    machine = Prompt(boot(append="boot_services=keep", net="user"), "import network; nic = network.UEFI()")
    assert "OSError: the firmware has the devices" in machine.run("network.VirtIO().active(True)")
    machine.run("nic.active(True); nic.ifconfig('dhcp')")
    assert re.match(r"\('10\.0\.0\.\d+'", machine.run("print(nic.ifconfig())"))


def test_none(boot):
    machine = Prompt(boot(net="none"), "import network")
    assert "OSError: no VirtIO network card" in machine.run("network.VirtIO().active(True)")
    assert "OSError: boot services were exited" in machine.run("network.UEFI().active(True)")
