"""Packages that MicroPython's users install, unchanged, in a machine on QEMU's user networking: tests/packages.txt names them.

micropython-lib's `urequests` and `umqtt` as terkin-micropython-libraries ships them, against servers here; `microdot`, a web
framework on asyncio, judged by curl. micropython-lib's own packages cannot be had from a registry in a form that pip installs.
"""

import contextlib
import http.server
import json
import shutil
import socketserver
import subprocess
import threading

import pytest

import image
import qemu
from places import BUILD, EFI
from prompt import Prompt, free_port
from vm import Machine

pytestmark = pytest.mark.xdist_group("packages")

FILES = ("urequests.py", "umqtt.py", "microdot")
SITE = """
import asyncio, time
from microdot import Microdot, abort, redirect, send_file
app = Microdot()

@app.get('/')
async def index(request):
    return 'hello ' + request.args.get('name', 'you')

@app.route('/items/<int:number>', methods=['GET', 'POST'])
async def item(request, number):
    return {'number': number, 'method': request.method, 'got': request.json}

@app.get('/stream')
async def stream(request):
    def parts():
        for i in range(50):
            yield '%d ' % i * 100
    return parts()

@app.get('/old')
async def old(request):
    return redirect('/')

@app.get('/broken')
async def broken(request):
    return 1 // 0

@app.get('/file')
async def file(request):
    return send_file('/urequests.py', content_type='text/plain')

@app.errorhandler(404)
async def missing(request):
    return 'none of that', 404

task = asyncio.create_task(app.start_server(port=80))
"""


class Site(http.server.BaseHTTPRequestHandler):
    """Says as JSON what it was asked; /moved leads to /."""

    def do_GET(self):
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", f"http://10.0.0.2:{self.server.server_address[1]}/there")
            self.end_headers()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        text = json.dumps({"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}).encode()
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("X-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT = do_GET

    def log_message(self, *_):
        pass


class Broker(socketserver.StreamRequestHandler):
    """One client of MQTT 3.1.1, quality of service 0: what it publishes comes back once it has subscribed."""

    timeout = 20

    def packet(self):
        kind = self.rfile.read(1)
        return kind and (kind[0] >> 4, self.rfile.read(self.rfile.read(1)[0]))

    def handle(self):
        assert self.packet() == (1, b"\0\4MQTT\4\2\0\x3c\0\7machine")
        self.wfile.write(b"\x20\2\0\0")
        kept = []
        while (packet := self.packet()) and packet[0] != 14:  # DISCONNECT
            kind, data = packet
            if kind == 8:  # SUBSCRIBE
                assert data[2:] == b"\0\5topic\0", data
                self.wfile.write(b"\x90\3" + data[:2] + b"\0")
                for message in kept:
                    self.wfile.write(bytes([0x30, len(message)]) + message)
            elif kind == 3:
                kept.append(data)
            elif kind == 12:  # PINGREQ
                self.wfile.write(b"\xd0\0")
        self.server.ended = bool(packet)


@contextlib.contextmanager
def serving(kind, handler):
    with kind(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A machine at Python's prompt with its network up; .port leads to its port 80."""
    folder = tmp_path_factory.mktemp("packages")
    files = folder / "files"
    files.mkdir()
    for name in FILES:
        source = BUILD / "packages" / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, files / name)
    (files / "site.py").write_text(SITE)
    image.make_folder(folder / "volume", EFI, [files])
    port = free_port()
    with Machine(qemu.Options.from_environment(volume=folder / "volume", net="user", forwards={80: port})) as vm:
        vm.wait_prompt()
        assert "initialized" in vm.command("net-virtio 10.0.0.1 255.255.255.0 10.0.0.2")
        prompt = Prompt(vm, "import json")
        prompt.port = port
        yield prompt


def test_urequests(machine):
    with serving(http.server.ThreadingHTTPServer, Site) as server:
        machine.run(f"import urequests; url = 'http://10.0.0.2:{server.server_address[1]}'")
        assert machine.run("r = urequests.get(url + '/a?b=c', headers={'X-Word': 'yes'}); print(r.status_code, r.reason, r.headers['X-Length'] == str(len(r.content)))") == \
            "200 b'OK' True"
        assert machine.run("d = r.json(); print(d['method'], d['path'], d['headers']['X-Word'], r.text == str(r.content, 'utf-8'))") == "GET /a?b=c yes True"
        assert machine.run("d = urequests.post(url + '/', json={'x': [1, 2.5, None]}).json(); print(d['body'], d['headers']['Content-Type'])") == \
            '{"x": [1, 2.5, null]} application/json'
        assert machine.run("print(len(urequests.put(url + '/', data=b'ab' * 20000).json()['body']))") == "40000"
        assert machine.run("r = urequests.get(url + '/none'); print(r.status_code); r.close()") == "404"
        assert machine.run("print(urequests.get(url + '/moved').json()['path'])") == "/there"
        assert machine.run("print(sum([urequests.get(url + '/').status_code for _ in range(40)]))") == "8000"
    assert "OSError" in machine.run("urequests.get(url + '/')")


def test_umqtt(machine):
    with serving(socketserver.ThreadingTCPServer, Broker) as server:
        machine.run(f"import umqtt; c = umqtt.MQTTClient('machine', '10.0.0.2', {server.server_address[1]}); got = []")
        machine.run("c.set_callback(lambda topic, message: got.append((topic, message)))")
        assert machine.run("print(c.connect())") in ("0", "False")
        assert machine.run("c.publish('topic', 'first'); c.publish('topic', 'x' * 100); c.ping()") == ""
        assert machine.run("c.subscribe('topic'); c.wait_msg(); c.wait_msg()") == ""
        assert machine.run("print(got)") == "[(b'topic', b'first'), (b'topic', b'" + "x" * 100 + "')]"
        machine.run("c.disconnect()")
    assert server.ended  # the broker's threads have ended by now


def curl(machine, path, *more):
    """(status, body)"""
    done = subprocess.run(["curl", "-sS", "--max-time", "30", "-w", "\n%{http_code}", *more, f"http://127.0.0.1:{machine.port}{path}"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_microdot(machine):
    machine.run("import site")
    assert curl(machine, "/?name=a%20b") == (200, "hello a b")
    status, body = curl(machine, "/items/7", "-H", "Content-Type: application/json", "-d", '{"a": [1, null]}')
    assert (status, json.loads(body)) == (200, {"number": 7, "method": "POST", "got": {"a": [1, None]}})
    assert curl(machine, "/stream") == (200, "".join(f"{i} " * 100 for i in range(50)))
    assert curl(machine, "/old", "-L") == (200, "hello you")
    assert curl(machine, "/nothing") == (404, "none of that")
    assert curl(machine, "/broken")[0] == 500
    assert curl(machine, "/file") == (200, (BUILD / "packages" / "urequests.py").read_text())
    assert curl(machine, "/items/7", "-X", "DELETE")[0] == 405
    machine.run("app.shutdown()")
