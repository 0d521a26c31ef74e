"""Profiles over HTTP from a booted machine, judged by curl, by Go's pprof and by a browser."""

import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.request

import pytest

import image
import qemu
from browser import Browser
from places import BUILD, EFI, write_files
from test_net import STATIC, free_port
from vm import Machine

PPROF = BUILD / "tools" / "pprof"
BUSY = """
import asyncio
rounds = 0
def spin():
    x = 0
    for i in range(5000):
        x ^= i
    return x
async def work():
    global rounds
    while True:
        spin()
        rounds += 1
        await asyncio.sleep_ms(0)
kept = []
def keeps():
    kept.append(bytearray(1000))
def wastes():
    return bytearray(1000)
async def leak():
    while True:
        keeps()
        wastes()
        await asyncio.sleep_ms(10)
def start_leak():
    global leaking
    leaking = asyncio.create_task(leak())
def stop_leak():
    leaking.cancel()
    kept.clear()
def start():
    global task
    task = asyncio.create_task(work())
"""

pytestmark = pytest.mark.xdist_group("profiles")


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A machine with the debug server; .url: its address here."""
    folder = tmp_path_factory.mktemp("profiles")
    volume = folder / "volume"
    image.make_folder(volume, EFI, [write_files(folder / "files", {"busy.py": BUSY})])
    port = free_port()
    with Machine(qemu.Options.from_environment(volume=volume, net="user", forwards={80: port})) as started:
        started.wait_prompt()
        assert "http://10.0.0.1:80/debug/pprof" in started.command(STATIC + " debug")
        python(started, "import busy")
        started.url = f"http://127.0.0.1:{port}"
        started.folder = folder
        yield started


def python(machine, line):
    """Run a line at the machine's Python prompt."""
    machine.send("python\r")
    machine.expect(rb">>> \Z", 30)
    machine.send(line + "\r")
    machine.expect(rb"\n>>> \Z", 30)
    machine.send("\x04")
    machine.wait_prompt()


def get(machine, path, limit=60):
    with urllib.request.urlopen(machine.url + path, timeout=limit) as answer:
        return answer.read()


def pprof(machine, *arguments):
    """Run Go's pprof on addresses below the machine's, or on files, and return what it prints."""
    arguments = [machine.url + a if str(a).startswith("/debug") else str(a) for a in arguments]
    environment = {**os.environ, "PPROF_TMPDIR": str(machine.folder)}
    done = subprocess.run([PPROF, *arguments], capture_output=True, text=True, timeout=90, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_idle(machine):
    """An idle machine's profile is all but empty, and says that it was idle."""
    file = machine.folder / "idle"
    file.write_bytes(get(machine, "/debug/pprof/profile?seconds=2"))
    comment = re.search(r"(\d+) samples of work, (\d+) idle, 0 dropped", pprof(machine, "-comments", file))
    assert comment and int(comment[1]) < 40 and int(comment[2]) > 100


def test_texts(machine):
    assert json.loads(get(machine, "/debug/vars"))["network"][0]["addresses"][0] == "10.0.0.1/24"
    stacks = get(machine, "/debug/pprof/goroutine?debug=2").decode()
    assert stacks.startswith("goroutine 1 [running]:\nshell.profiles.tasks()\n") and "net.http._accept()\n\tnet/http.py:" in stacks
    assert re.search(r"\n1 @ 0x.*\n#\t0x\w+\tshell\.serial\.read\+0x0\tshell/serial\.py:\d+\n", get(machine, "/debug/pprof/goroutine?debug=1").decode())
    assert get(machine, "/debug/pprof/cmdline").split(b"\0")[0] == b"keelback.efi"
    assert b"str data" in get(machine, "/debug/pprof/heap?debug=1")
    head = subprocess.run(["curl", "-sSI", "--max-time", "20", machine.url + "/debug/pprof"], capture_output=True, text=True).stdout
    assert head.startswith("HTTP/1.1 302 ") and "Location: /debug/pprof/" in head


def test_profile(machine):
    """pprof fetches a profile of a busy machine; the busy function is on top, and the shell goes on meanwhile."""
    python(machine, "busy.start()")
    before = time.monotonic()
    judge = subprocess.Popen([PPROF, "-top", "-cum", machine.url + "/debug/pprof/profile?seconds=3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env={**os.environ, "PPROF_TMPDIR": str(machine.folder)})
    time.sleep(1)
    assert re.match(r"\d", machine.command("uptime"))
    assert re.search(rb"503", subprocess.run(["curl", "-sSi", "--max-time", "20", machine.url + "/debug/pprof/profile?seconds=1"], capture_output=True).stdout)
    top, errors = judge.communicate(timeout=60)
    assert time.monotonic() - before >= 3
    shares = {line.split()[-1]: float(line.split()[4][:-1]) for line in top.splitlines() if re.match(r"\s*[\d.]+(m?s)? +[\d.]+%", line)}
    assert shares["busy.spin"] > 60 and shares["busy.work"] >= shares["busy.spin"] and shares["shell.main.run"] > 90, top + errors


def test_profile_formats(machine):
    """One profile, as numbers, as folded text, and in pprof's web view."""
    python(machine, "busy.start()")
    file = machine.folder / "cpu"
    file.write_bytes(get(machine, "/debug/pprof/profile?seconds=2&hz=200"))
    assert file.read_bytes()[:3] == b"\x1f\x8b\x08"
    raw = pprof(machine, "-raw", file)
    assert "PeriodType: cpu nanoseconds\nPeriod: 5000000\n" in raw and re.search(r"M=1 busy\.spin /?busy\.py:[4-8] ", raw)
    counts = [int(n) for n in re.findall(r"^ +(\d+) +\d+: ", raw, re.M)]
    assert sum(counts) > 50
    folded = get(machine, "/debug/pprof/profile?seconds=1&debug=1").decode()
    assert re.search(r"^shell\.main\.run;.*;busy\.work;busy\.spin(;\w+)? \d+$", folded, re.M)
    port = free_port()
    web = subprocess.Popen([PPROF, f"-http=127.0.0.1:{port}", "-no_browser", file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        page = retry(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/ui/flamegraph", timeout=10).read())
        assert b"busy.spin" in page
    finally:
        web.kill()
        web.wait()


def retry(function, limit=20):
    deadline = time.monotonic() + limit
    while True:
        try:
            return function()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_heap_and_tasks(machine):
    python(machine, "kept = ['x' * 100 + str(i) for i in range(20000)]")
    top = pprof(machine, "-top", "/debug/pprof/heap")
    assert "Type: inuse_space" in top and re.search(r"^ +[23]\d{3}\.\d+kB .* str data$", top, re.M), top
    assert re.search(r"^ +2\d{4} .* str data$", pprof(machine, "-top", "-sample_index=inuse_objects", "/debug/pprof/heap"), re.M)
    tasks = pprof(machine, "-top", "/debug/pprof/goroutine")
    assert "Type: goroutine" in tasks and "net.http._accept" in tasks and "shell.serial.read" in tasks
    python(machine, "del kept")


def test_allocations(machine):
    """Who allocates, and what lives on of it."""
    python(machine, "busy.start_leak()")
    file = machine.folder / "allocs"
    file.write_bytes(get(machine, "/debug/pprof/allocs?seconds=2&rate=512"))
    python(machine, "busy.stop_leak()")
    allocated, alive = pprof(machine, "-top", file), pprof(machine, "-top", "-sample_index=inuse_space", file)
    assert "Type: alloc_space" in allocated and "busy.wastes" in allocated and "busy.keeps" in allocated
    assert re.search(r"^ +\d.* busy\.keeps$", alive, re.M) and not re.search(r"^ +[1-9].* busy\.wastes$", alive, re.M), alive


def test_client_that_leaves(machine):
    """Its profile ends at once: the next one may begin."""
    subprocess.run(["curl", "-s", "--max-time", "1", machine.url + "/debug/pprof/profile?seconds=600"], capture_output=True)
    assert retry(lambda: get(machine, "/debug/pprof/profile?seconds=0.2"))[:2] == b"\x1f\x8b"


def test_page(machine):
    """The page in a browser: no complaint on its console, charts that move, a flame graph with the busy function."""
    python(machine, "busy.start()")
    points = "document.querySelector('.%s .line').getAttribute('d')?.split('L').length"
    with Browser() as browser:
        browser.open(machine.url + "/debug/pprof/")
        assert browser.evaluate("document.title").startswith("keelback 127.0.0.1")
        for name in ("cpu", "heap", "net", "tasks"):
            browser.wait(points % name + " >= 3")
        before = browser.evaluate("document.querySelector('.cpu .line').getAttribute('d')")
        browser.wait(f"document.querySelector('.cpu .line').getAttribute('d') !== '{before}'")
        assert browser.evaluate("document.documentElement.className") == "live"
        assert browser.evaluate("parseInt(document.getElementById('cpu').textContent)") > 50
        browser.evaluate("document.getElementById('record').click()")
        browser.wait("[...document.querySelectorAll('#graph title')].some(t => t.textContent.startsWith('busy.spin'))")
        browser.evaluate("[...document.querySelectorAll('#graph g')].find(g => g.textContent.includes('busy.work')).dispatchEvent(new Event('click'))")
        browser.wait("document.querySelector('#graph text').textContent === 'busy.work'")
        assert not browser.complaints


def test_speedscope(machine):
    """speedscope reads a profile: its table of functions has the busy one on top, with most of the time."""
    release = BUILD / "tools" / "speedscope" / "dist" / "release"
    if not release.exists():
        pytest.skip("no speedscope; tools/fetch.py gets it where there is npm")
    python(machine, "busy.start()")
    site = machine.folder / "speedscope"
    shutil.copytree(release, site)
    (site / "cpu").write_bytes(get(machine, "/debug/pprof/profile?seconds=2&hz=200"))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=site)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, Browser() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        browser.open(f"{url}/index.html#profileURL={url}/cpu")
        browser.wait("document.body.innerText.includes('Sandwich')")
        browser.evaluate("[...document.querySelectorAll('div')].filter(d => d.innerText.includes('Sandwich')).pop().click()")
        browser.wait("[...document.querySelectorAll('tr')].some(r => r.innerText.includes('busy.work'))")
        rows = browser.evaluate("[...document.querySelectorAll('tr')].map(r => r.innerText)")
        server.shutdown()
    # a row: total time and its share, self time and its share, name; shares may be ">99%" or "<0.1%"
    shares = {row.split("\t")[-1].strip(): [float(share) for share in re.findall(r"\([<>]?([\d.]+)%\)", row)] for row in rows[1:]}
    assert shares["busy.spin"][0] > 60 and shares["busy.work"][0] >= shares["busy.spin"][0] and shares["busy.work"][1] < 20, rows


def test_again(machine):
    """Started again, also while a client waits, the server is there again; stopped, nothing answers."""
    waiting = subprocess.Popen(["curl", "-s", "--max-time", "60", machine.url + "/debug/pprof/profile?seconds=50"], stdout=subprocess.DEVNULL)
    time.sleep(1)
    for _ in range(2):
        assert "http://10.0.0.1:80/debug/pprof" in machine.command(STATIC + " debug")
        assert retry(lambda: get(machine, "/debug/pprof/profile?seconds=0.2"))[:2] == b"\x1f\x8b"
    machine.command("net-down")
    with pytest.raises(OSError):
        get(machine, "/debug/vars", 2)
    waiting.kill()
    waiting.wait()
