"""net/pprof.py and net/pprof_page.py: what each address answers, over a made-up system."""

import json

import _prof
import stored  # in place of deflate
from check import same
from net import pprof, pprof_page
from net.http import Server
from protobuf import profile
from wire import split, talk

FRAMES = (("net/http.py", 7, "_accept"), ("/main.py", 3, "run"))
VARS = {
    "uptime_ms": 93784000, "idle_ms": 92846160, "heap_used": 1536, "heap_free": 3 << 20, "tasks": 3, "received": 5000, "sent": 10,
    "network": [{"name": "virtio", "mac": "02:00:00:00:00:01", "link": True, "addresses": ["10.0.0.1/24"], "counters": {"errors": 4}}],
}


class System:
    profiler = _prof

    def tasks(self):
        return [("task 1", "running", FRAMES), ("task 2", "waiting", FRAMES[1:]), ("task 3", "waiting", FRAMES[1:])]

    def vars(self):
        return VARS

    def about(self):
        return [("Commit", "<b>&1")]

    def arguments(self):
        return ["keelback.efi", "a=b"]


def get(path, method="GET", body=b"", ms=0):
    """-> (status, headers, body) of what a server with the profiles answers a client that stays for so long; None: nothing."""
    log = []
    server = Server(log.append)
    pprof.Profiles(System()).mount(server)
    sent = "%s %s HTTP/1.1\r\nHost: 10.0.0.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (method, path, len(body))
    answers = split(talk(server, sent.encode() + body, ms), (method,))
    assert not log, log
    return answers[0] if answers else None


def unzip(data):
    """-> what is in a gzip file of the fake deflate."""
    assert data[:4] == b"\x1f\x8b\x08\0" and len(data) < 65000
    return data[15:-8]


def test_profile():
    _prof.found[:] = [(5, None, FRAMES), (3, "mp_obj_get_int", FRAMES[1:]), (1, "(firmware)", ())]
    status, headers, body = get("/debug/pprof/profile?seconds=0.1&hz=50", ms=3000)
    same((status, headers["content-type"], headers["content-disposition"]), (200, "application/octet-stream", 'attachment; filename="profile"'))
    got = profile(unzip(body))
    run = ("main.run", "/main.py", 3)
    same(got["samples"], [
        ([("net.http._accept", "net/http.py", 7), run], [5, 100000000], []),
        ([("mp_obj_get_int", "keelback.efi", 0), run], [3, 60000000], []),
        ([("(firmware)", "keelback.efi", 0)], [1, 20000000], []),
    ])
    same((got["period"], got["duration_ns"], got["default"]), (20000000, 1500000000, "cpu"))
    same(got["comments"], ["9 samples of work, 7 idle, 2 dropped"])
    same((_prof.state["running"], _prof.state["hz"]), (False, 50))
    assert _prof.state["freed"]


def test_profile_folded():
    _prof.found[:] = [(5, None, FRAMES), (3, "f", FRAMES[1:])]
    same(get("/debug/pprof/profile?seconds=0.1&debug=1", ms=3000)[2], b"main.run;net.http._accept 5\nmain.run;f 3\n")
    same(_prof.state["hz"], 100)


def test_profile_refused():
    for query in ("seconds=0", "seconds=-1", "seconds=x", "seconds=601", "seconds=nan", "hz=0", "hz=1001", "hz=", "seconds=inf"):
        same((query, get("/debug/pprof/profile?" + query)[0]), (query, 400))
    _prof.start()
    status, headers, body = get("/debug/pprof/profile?seconds=1")
    _prof.stop()
    same((status, body), (503, b"a profile is being taken already\n"))


def test_profile_of_a_client_that_leaves():
    """Its profile ends with it."""
    get("/debug/pprof/profile?seconds=600")
    assert not _prof.running()


def test_heap():
    _prof.rows[:] = [("str", False, 32, 10, 320), ("str", True, 64, 10, 640), (None, False, 128, 2, 256)]
    got = profile(unzip(get("/debug/pprof/heap")[2]))
    same(got["types"], [("inuse_objects", "count"), ("inuse_space", "bytes")])
    same([([name for name, _, _ in places], values, labels) for places, values, labels in got["samples"]], [
        (["str"], [10, 320], [("bytes", 32, "bytes")]),
        (["str data", "str"], [10, 640], [("bytes", 64, "bytes")]),
        (["(interpreter)"], [2, 256], [("bytes", 128, "bytes")]),
    ])
    lines = get("/debug/pprof/heap?debug=1&gc=0")[2].split(b"\n")
    same([line.split() for line in lines[1:3]], [[b"640", b"10", b"64", b"str", b"data"], [b"320", b"10", b"32", b"str"]])
    same(lines[-2].split(), [b"1216", b"22", b"total"])


def test_allocs():
    _prof.allocated[:] = [(6400, 3200, 64, FRAMES), (100, 0, 128, FRAMES[1:])]
    got = profile(unzip(get("/debug/pprof/allocs?seconds=0.1&rate=1000", ms=3000)[2]))
    same([name for name, _ in got["types"]], ["inuse_objects", "inuse_space", "alloc_objects", "alloc_space"])
    same([([name for name, _, _ in places], values, labels) for places, values, labels in got["samples"]], [
        (["net.http._accept", "main.run"], [50, 3200, 100, 6400], [("bytes", 64, "bytes")]),
        (["main.run"], [0, 0, 0, 100], [("bytes", 128, "bytes")]),
    ])
    same((got["default"], got["period"], got["comments"]), ("alloc_space", 1000, ["64 bytes found no room"]))
    assert got["duration_ns"] >= 100000000
    for query in ("seconds=0", "rate=31", "rate=x", "rate=99999999"):
        same((query, get("/debug/pprof/allocs?" + query)[0]), (query, 400))
    _prof.sites_start(1)
    same(get("/debug/pprof/allocs")[0], 503)
    _prof.sites_stop()
    get("/debug/pprof/allocs?seconds=600")
    assert not _prof.sites_running()


def test_goroutine():
    got = profile(unzip(get("/debug/pprof/goroutine")[2]))
    run = ("main.run", "/main.py", 3)
    same((got["types"], got["samples"]), ([("goroutine", "count")], [([run], [2], []), ([("net.http._accept", "net/http.py", 7), run], [1], [])]))
    text = str(get("/debug/pprof/goroutine?debug=1")[2], "utf-8")
    same(text, "goroutine profile: total 3\n2 @ 0x1000\n#\t0x1000\tmain.run+0x0\t/main.py:3\n\n"
         "1 @ 0x1001 0x1000\n#\t0x1001\tnet.http._accept+0x0\tnet/http.py:7\n#\t0x1000\tmain.run+0x0\t/main.py:3\n\n")
    text = str(get("/debug/pprof/goroutine?debug=2")[2], "utf-8")
    assert text.startswith("goroutine 1 [running]:\nnet.http._accept()\n\tnet/http.py:7\nmain.run()\n\t/main.py:3\ncreated by task 1\n\ngoroutine 2 [waiting]:\n"), text


def test_others():
    same(get("/debug/pprof/cmdline")[2], b"keelback.efi\0a=b")
    same(get("/debug/pprof/symbol")[2], b"num_symbols: 1\n")
    same(get("/debug/pprof/symbol?0x201008+0x10+zz")[2], b"num_symbols: 1\n0x201008 mp_load_name\n")
    same(get("/debug/pprof/symbol", "POST", b"0x201000+0x201fff")[2], b"num_symbols: 1\n0x201000 mp_load_name\n0x201fff mp_load_name\n")
    same(get("/debug/pprof/symbol", "POST", b"\xff+-1+1" + b"0" * 40)[2], b"num_symbols: 1\n")
    same(json.loads(get("/debug/vars")[2]), VARS)
    for path in ("/", "/debug", "/debug/", "/debug/pprof"):
        status, headers, _ = get(path)
        same((path, status, headers["location"]), (path, 302, "/debug/pprof/"))
    for path in ("/debug/pprof/block", "/debug/pprof/profile/x"):
        same((path, get(path)[0]), (path, 404))


def test_index():
    status, headers, body = get("/debug/pprof/")
    text = str(body, "utf-8")
    assert "script-src 'self'" in headers["content-security-policy"]
    for part in ("1d 02:03:04", "1.5 KiB", "of 3.0 MiB", ">1 %<", "4.9 KiB", "02:00:00:00:00:01", "10.0.0.1/24", 'data-counter="errors">4<', "&lt;b&gt;&amp;1", 'href="heap?debug=1"'):
        assert part in text, part
    for part in ("style=", "<script>", "onclick", "<b>&1"):
        assert part not in text, part
    outside = text.replace("http://10.0.0.1/debug", "").replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in outside and "https:" not in outside and "//" not in outside
    page = str(pprof_page.index('"><script>', VARS, []).body, "utf-8")
    assert "<script>" not in page and "&quot;&gt;&lt;script&gt;" in page
    same(get("/debug/pprof/page.css")[1]["content-type"], "text/css; charset=utf-8")
    same(get("/debug/pprof/page.js")[1]["content-type"], "text/javascript; charset=utf-8")


def test_numbers():
    for n, text in ((0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (102400, "100 KiB"), (1 << 20, "1.0 MiB"), (5 << 40, "5120 GiB")):
        same(pprof_page.size(n), text)
    for n, text in ((0, "00:00:00"), (3661, "01:01:01"), (86400, "1d 00:00:00")):
        same(pprof_page.duration(n), text)
    for file, function, name in (
        ("shell/session.py", "run", "shell.session.run"), ("/main.py", "f", "main.f"), ("<stdin>", "<module>", "<stdin>.<module>"), ("", "(deeper)", "(deeper)"), ("a.pyx", "g", "a.pyx.g"),
    ):
        same(pprof.function_name(file, function), name)
