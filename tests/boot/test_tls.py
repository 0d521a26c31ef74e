"""TLS in a machine, as server and as client, against OpenSSL's programs, curl and Python's ssl."""

import contextlib
import hashlib
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

import image
import qemu
from prompt import Prompt, free_port
from tls_peers import CLIENT, SERVER, authority, certificate
from vm import Machine

pytestmark = pytest.mark.xdist_group("tls")  # one worker has the machine

EFI = qemu.BUILD / "keelback.efi"
PORTS = {443: "ecdsa", 444: "rsa", 445: "client certificates"}
DATA = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("tls")
    authority(made, "ca")
    authority(made, "other")
    certificate(made, "ecdsa")
    certificate(made, "rsa", "rsa")
    certificate(made, "wrong", host="other.test")
    certificate(made, "unknown", ca="other")
    certificate(made, "user", host="user.test")
    return made


# ---- the machine --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def machine(tmp_path_factory, folder):
    made = tmp_path_factory.mktemp("machine")
    files = made / "files"
    files.mkdir()
    for source in folder.iterdir():
        if source.suffix in (".pem", ".key"):
            (files / source.name).write_bytes(source.read_bytes())
    (files / "server.py").write_text(SERVER)
    (files / "client.py").write_text(CLIENT)
    image.make_folder(made / "volume", EFI, [files])
    forwards = {port: free_port() for port in PORTS}
    with Machine(qemu.Options.from_environment(volume=made / "volume", net="user", forwards=forwards)) as vm:
        vm.wait_prompt()
        assert "initialized" in vm.command("net-virtio 10.0.0.1 255.255.255.0 10.0.0.2")
        prompt = Prompt(vm, "import server, client, gc, clock; server.start()")
        prompt.ports = forwards
        yield prompt


# ---- the machine as server ----------------------------------------------------------------------------------------------

def s_client(machine, folder, port, *arguments):
    """Send a line by `openssl s_client` and return (exit status, all that it prints)."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{machine.ports[port]}", "-servername", "server.test",
                           "-CAfile", "ca.pem", "-verify_return_error", "-verify_hostname", "server.test", *arguments],
                          cwd=folder, input=b"echo this\n", capture_output=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


TLS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
TLS12 = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA384", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")


@pytest.mark.parametrize("port", [443, 444])
def test_tls13_suites_and_groups(machine, folder, port):
    for suite in TLS13:
        for group in ("X25519", "P-256", "P-384"):
            status, out = s_client(machine, folder, port, "-tls1_3", "-ciphersuites", suite, "-groups", group, "-ign_eof")
            assert status == 0 and f"TLSv1.3, Cipher is {suite}" in out and "\necho this\n" in out, out


@pytest.mark.parametrize("port", [443, 444])
def test_tls12_suites(machine, folder, port):
    signature = "ECDSA" if port == 443 else "RSA"
    for suite in TLS12:
        name = f"ECDHE-{signature}-{suite}"
        status, out = s_client(machine, folder, port, "-tls1_2", "-cipher", name, "-ign_eof")
        assert status == 0 and f"Cipher is {name}" in out and "\necho this\n" in out, out
    for group in ("X25519", "P-256", "P-384", "P-521"):
        status, out = s_client(machine, folder, port, "-tls1_2", "-groups", ":".join({group, "P-256"}), "-ign_eof")
        assert status == 0 and "\necho this\n" in out, out


def test_older_versions_are_refused(machine, folder):
    status, out = s_client(machine, folder, 443, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert status != 0 and "alert protocol version" in out, out


def test_curl(machine, folder):
    for version in ("--tlsv1.3", "--tls-max 1.2"):
        done = subprocess.run(["curl", "-sS", "--cacert", folder / "ca.pem", "--resolve", f"server.test:{machine.ports[443]}:127.0.0.1",
                               *version.split(), f"https://server.test:{machine.ports[443]}/"], capture_output=True, text=True, timeout=60)
        assert done.stdout == "hello over TLS\n", done.stderr


def python_client(machine, folder, port, maximum, cert=None):
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.maximum_version = maximum
    if cert:
        context.load_cert_chain(folder / f"{cert}.pem", folder / f"{cert}.key")
    raw = socket.create_connection(("127.0.0.1", machine.ports[port]), 30)
    raw.settimeout(60)
    return context.wrap_socket(raw, server_hostname="server.test")


def receive(s, count):
    data = bytearray()
    while len(data) < count:
        piece = s.recv(65536)
        assert piece, f"the end after {len(data)} bytes"
        data += piece
    return bytes(data)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_bulk_both_ways(machine, folder, version):
    with python_client(machine, folder, 443, version) as s:
        s.sendall(b"send\n")
        assert receive(s, len(DATA)) == DATA
    with python_client(machine, folder, 443, version) as s:
        s.sendall(b"take\n" + DATA)
        assert receive(s, 32) == hashlib.sha256(DATA).digest()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_client_certificates(machine, folder, version):
    with python_client(machine, folder, 445, version, "user") as s:
        s.sendall(b"who\n")
        assert receive(s, 4) == b"who\n"
    for cert in (None, "unknown"):
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            with python_client(machine, folder, 445, version, cert) as s:
                s.sendall(b"who\n")
                receive(s, 4)


def test_bad_peers(machine, folder):
    """Silence, garbage, a handshake cut anywhere and plain HTTP cost nobody else anything."""
    where = ("127.0.0.1", machine.ports[443])
    silent = [socket.create_connection(where, 30) for _ in range(20)]
    for garbage in (b"GET / HTTP/1.0\r\n\r\n", bytes(600), b"\x16\x03\x01\xff\xff" + b"x" * 70000, b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", b"\x15\x03\x01\0\2\2\x28"):
        with contextlib.suppress(OSError), socket.create_connection(where, 30) as s:
            s.settimeout(10)
            s.sendall(garbage)
            while s.recv(4096):
                pass
    hello = client_hello()
    for cut in range(0, len(hello), 40):
        with socket.create_connection(where, 30) as s:
            s.sendall(hello[:cut])
    with python_client(machine, folder, 443, ssl.TLSVersion.TLSv1_3) as s:
        s.sendall(b"still\n")
        assert receive(s, 6) == b"still\n"
    for s in silent:
        s.close()


def client_hello():
    out = ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), out, server_hostname="server.test").do_handshake()
    return out.read()


def test_memory_comes_back(machine, folder):
    """After many connections the heap holds what it held."""
    def connect(count):
        for i in range(count):
            with python_client(machine, folder, 443, (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)[i % 2]) as s:
                s.sendall(b"x\n")
                receive(s, 2)
        return int(machine.run("_ = gc.collect(), gc.collect(); print(gc.mem_alloc())"))

    connect(4)
    before = connect(4)
    after = connect(40)
    assert after - before < 40000, (before, after)


# ---- the machine as client ----------------------------------------------------------------------------------------------

@contextlib.contextmanager
def s_server(folder, cert, *arguments):
    """Run `openssl s_server`; yields its port."""
    port = free_port()
    process = subprocess.Popen(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", f"{cert}.pem", "-key", f"{cert}.key", "-www",
                                *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 5):
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("cert", ["ecdsa", "rsa"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_client(machine, folder, cert, version):
    with s_server(folder, cert, version) as port:
        assert re.match(r"got True \S+ TLSv1\." + version[-1], machine.run(f"client.get({port})"))
    for group in ("X25519", "P-256"):
        with s_server(folder, cert, version, "-groups", group) as port:
            assert machine.run(f"client.get({port})").startswith("got True")


def test_client_suites(machine, folder):
    """Every suite that the machine names works with a server that has it too."""
    names = machine.run("import ssl; print(*ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).get_ciphers())").split()
    assert len(names) >= 20
    tried = 0
    for cert in ("ecdsa", "rsa"):
        with s_server(folder, cert, "-cipher", "ALL:@SECLEVEL=0") as port:
            for name in names:
                if name.startswith("TLS1-3") or (cert == "rsa") != ("ECDSA" in name):
                    said = machine.run(f"client.get({port}, ciphers=['{name}'])")
                    if "CCM" in name:
                        continue
                    assert said.startswith(f"got True {name} "), (name, said)
                    tried += 1
    assert tried >= 20


def test_verification(machine, folder):
    """CERT_REQUIRED: name, issuer, client's certificate, and the clock on both sides of the validity."""
    with s_server(folder, "ecdsa") as port:
        assert machine.run(f"client.get({port})").startswith("got True")
        assert "does not match with the expected CN" in machine.run(f"client.get({port}, name='other.test')")
        assert "not correctly signed by the trusted CA" in machine.run(f"client.get({port}, ca='/other.pem')")
        assert "CA_CHAIN_REQUIRED" in machine.run(f"client.get({port}, ca=None)")
        machine.run("now = clock.wall_ns()")
        for year, told in ((20, "validity has expired"), (-20, "validity starts in the future")):
            machine.run(f"clock.set_wall_ns(now + {year} * 31556952 * 10**9)")
            assert told in machine.run(f"client.get({port})")
        machine.run("clock.set_wall_ns(now)")
        assert machine.run(f"client.get({port})").startswith("got True")
    with s_server(folder, "wrong") as port:
        assert "does not match with the expected CN" in machine.run(f"client.get({port})")
    with s_server(folder, "unknown") as port:
        assert "not correctly signed by the trusted CA" in machine.run(f"client.get({port})")
    for version in ("-tls1_2", "-tls1_3"):
        with s_server(folder, "ecdsa", version, "-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem") as port:
            assert machine.run(f"client.get({port}, cert='user')").startswith("got True")
            assert machine.run(f"client.get({port})").startswith("failed")


def test_fetch(machine, folder):
    """net/http_get.py: from whoever answers, or, given a certificate, from who has one that it signed."""
    for version in ("-tls1_2", "-tls1_3"):
        with s_server(folder, "ecdsa", version) as port:
            for ca in ("None", "'/ca.pem'"):
                assert machine.run(f"client.fetch({port}, {ca})").startswith("fetched True"), ca
            assert machine.run(f"client.fetch({port}, '/other.pem')").startswith("failed")
            assert machine.run(f"client.fetch({port}, '/ca.pem', 'other.test')").startswith("failed")
    assert re.match(r"failed .* to 10\.0\.0\.2 .*Errno 111", machine.run(f"client.fetch({free_port()})"))  # at once or a moment later


@contextlib.contextmanager
def python_server(folder, handle):
    """Serve TLS by Python's ssl, a thread for each connection; yields the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ecdsa.pem", folder / "ecdsa.key")
    listener = socket.create_server(("127.0.0.1", 0))

    def one(raw):
        with contextlib.suppress(OSError), context.wrap_socket(raw, server_side=True) as s:
            s.settimeout(60)
            handle(s)

    def run():
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=run, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def test_client_bulk_and_memory(machine, folder):
    def echo(s):
        data = receive(s, len(DATA))
        s.sendall(data)

    with python_server(folder, echo) as port:
        assert machine.run(f"client.bulk({port})") == "bulk True"
    with python_server(folder, lambda s: s.sendall(s.recv(100))) as port:
        said = machine.run(f"client.many({port}, 40)", 300)
        assert int(said.split()[1]) < 20000, said
