"""What both ends of a TLS test need: certificates made by OpenSSL, and the programs that run in the machine."""

import subprocess

SERVER = """
import asyncio, ssl, hashlib

DATA = bytes(range(256)) * 4096
count = 0

async def handle(reader, writer):
    global count
    try:
        line = await reader.readline()
        if line == b"send\\n":
            writer.write(DATA)
        elif line == b"take\\n":
            h = hashlib.sha256()
            for _ in range(len(DATA) // 4096):
                h.update(await reader.readexactly(4096))
            writer.write(h.digest())
        elif line[:4] == b"GET ":
            while await reader.readline() not in (b"\\r\\n", b""):
                pass
            body = b"hello over TLS\\n"
            writer.write(b"HTTP/1.0 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
        else:
            writer.write(line)
        await writer.drain()
        count += 1
    except (OSError, EOFError, ValueError) as e:
        pass
    finally:
        writer.close()
        await writer.wait_closed()

def context(kind, ca=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain("/%s.pem" % kind, "/%s.key" % kind)
    if ca:
        c.load_verify_locations(ca)
        c.verify_mode = ssl.CERT_REQUIRED
    return c

def start():
    for port, c in ((443, context("ecdsa")), (444, context("rsa")), (445, context("ecdsa", "/ca.pem"))):
        asyncio.create_task(asyncio.start_server(handle, "0.0.0.0", port, ssl=c))
"""
CLIENT = """
import hashlib, socket, ssl

def connect(port, name="server.test", ca="/ca.pem", cert=None, ciphers=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.verify_mode = ssl.CERT_REQUIRED
    if ca:
        c.load_verify_locations(ca)
    if cert:
        c.load_cert_chain("/%s.pem" % cert, "/%s.key" % cert)
    if ciphers:
        c.set_ciphers(ciphers)
    s = socket.socket()
    s.settimeout(20)
    try:
        s.connect(socket.getaddrinfo("10.0.0.2", port)[0][-1])
        return c.wrap_socket(s, server_hostname=name)
    except BaseException:
        s.close()
        raise

def get(port, **how):
    try:
        s = connect(port, **how)
        s.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        print("got", len(s.read()) > 100, *s.cipher())
        s.close()
    except (OSError, ValueError) as e:
        print("failed", e)

def fetch(port, ca=None, name="server.test"):
    import asyncio
    from net.http_get import get

    async def resolve(host):
        return ("10.0.0.2",)

    try:
        data = asyncio.run(get("https://%s:%d/" % (name, port), resolve, cadata=open(ca, "rb").read() if ca else None))
        print("fetched", len(data) > 100, data[-8:])
    except (OSError, ValueError) as e:
        print("failed", e)

def bulk(port):
    data = bytes(range(256)) * 4096
    s = connect(port)
    s.write(data)
    back = s.read(len(data))
    print("bulk", back == data)
    s.close()

def many(port, count):
    import gc
    used = []
    for i in range(count):
        s = connect(port)
        s.write(b"x\\n")
        s.read(2)
        s.close()
        if i % 10 == 9:
            del s
            gc.collect()
            used.append(gc.mem_alloc())
    print("many", max(used[1:]) - used[0])
"""


def openssl(*arguments, cwd):
    done = subprocess.run(["openssl", *arguments], cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr.decode()


def key(folder, name, kind):
    algorithm = ("RSA", "rsa_keygen_bits:2048") if kind == "rsa" else ("EC", "ec_paramgen_curve:P-256")
    openssl("genpkey", "-algorithm", algorithm[0], "-pkeyopt", algorithm[1], "-out", f"{name}.key", cwd=folder)


def authority(folder, name):
    key(folder, name, "ecdsa")
    openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-days", "3650", "-out", f"{name}.pem",
            "-addext", "basicConstraints=critical,CA:TRUE", cwd=folder)


def certificate(folder, name, kind="ecdsa", host="server.test", ca="ca"):
    key(folder, name, kind)
    (folder / "ext").write_text(f"subjectAltName=DNS:{host},IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={host}", "-out", "csr", cwd=folder)
    openssl("x509", "-req", "-in", "csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", "365",
            "-extfile", "ext", "-out", f"{name}.pem", cwd=folder)
