"""Instructions of TLS handshakes and records: tests/bench/tls.py, with the tests' Python.

Client and server are both in the machine, over its loopback, one after the other's message: a figure is of both sides
together, TCP and asyncio included. QEMU counts instructions (-icount), the machine's clock shows them.
"""

import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "tools"), str(HERE.parent / "boot")]

import image  # noqa: E402
import qemu  # noqa: E402
import rawrepl  # noqa: E402
from tls_peers import authority, certificate  # noqa: E402
from vm import Machine  # noqa: E402

HANDSHAKES = 8
GUEST = """
import asyncio, ssl, time

def load(kind):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain("/%s.pem" % kind, "/%s.key" % kind)
    return c

async def handle(reader, writer):
    n = int(await reader.readline())
    if n:
        writer.write(bytes(n))
        await writer.drain()
    else:
        writer.write(b"hello")
        await writer.drain()
    writer.close()
    await writer.wait_closed()

def client(suites):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.load_verify_locations("/ca.pem")
    if suites:
        c.set_ciphers(suites)
    return c

async def once(context, n):
    start = time.ticks_us()
    r, w = await asyncio.open_connection("127.0.0.1", 4433, ssl=context, server_hostname="server.test")
    w.write(b"%d\\n" % n)
    await w.drain()
    left = n or 5
    while left:
        left -= len(await r.read(16384))
    took = time.ticks_diff(time.ticks_us(), start)
    w.close()
    await w.wait_closed()
    return took

async def main():
    for kind in ("ecdsa", "rsa"):
        server = await asyncio.start_server(handle, "127.0.0.1", 4433, ssl=load(kind))
        cipher = "ECDSA" if kind == "ecdsa" else "RSA"
        for version, suites in (("1.3", None), ("1.2", ["TLS-ECDHE-%s-WITH-AES-128-GCM-SHA256" % cipher])):
            c = client(suites)
            await once(c, 0)
            each = []
            for _ in range(COUNT):
                each.append(await once(c, 0))
            bulk = await once(c, 1 << 20) - each[-1]
            print(kind, version, sum(each) // COUNT, bulk, sep=",")
        server.close()
        await server.wait_closed()

asyncio.run(main())
"""


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        files = folder / "files"
        files.mkdir()
        authority(folder, "ca")
        certificate(folder, "ecdsa")
        certificate(folder, "rsa", "rsa")
        for source in [*folder.glob("*.pem"), *folder.glob("*.key")]:
            (files / source.name).write_bytes(source.read_bytes())
        image.make_folder(folder / "volume", qemu.BUILD / "keelback.efi", [files])
        with Machine(qemu.Options(volume=folder / "volume", icount=0)) as vm:
            vm.wait_prompt()
            printed, error = rawrepl.run(vm, GUEST.replace("COUNT", str(HANDSHAKES)), 600)
    if error:
        sys.exit(error)
    print("certificate  TLS  M instructions a handshake (both sides)  M instructions for 1 MiB")
    for line in printed.split():
        kind, version, handshake, bulk = line.split(",")
        print(f"{kind:11}  {version}  {int(handshake) / 1000:38.1f}  {int(bulk) / 1000:24.1f}")


if __name__ == "__main__":
    main()
