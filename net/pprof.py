"""Profiles over HTTP as Go's net/http/pprof serves them: /debug/pprof/ and what lies below it, and /debug/vars.

What there is to know of the machine comes from a system object, which mount() is given:
  profiler: start(hz), stop(), free(), running(), counts(), samples(), symbol(address), heap(), as docs/seam.md says of _prof
  tasks() -> [(name, state, frames)], frames innermost first; vars() -> a dict that JSON can tell, for the charts
  about() -> [(label, value)], of the build; arguments() -> what the program was started with, a list of texts
Source: pkg.go.dev/net/http/pprof. Leaves out: block, mutex, threadcreate, trace, which have no meaning here.
"""

# SPDX-License-Identifier: BSD-3-Clause

import gc
import json
import time

from net import pprof_page
from net.http_message import Response
from net.http_wire import HTTPError
from net.pprof_proto import Profile, gzip

_HZ = 100
_HZ_MAX = 1000
_SECONDS = 30
_SECONDS_MAX = 600
_ALLOCS_SECONDS = 10
_RATE = 4096  # bytes
_RATE_MAX = 1 << 24
_TEXT = "text/plain; charset=utf-8"
_ROOT = "/debug/pprof/"


class Profiles:
    """The handlers. Each takes a Request."""

    def __init__(self, system):
        self._system = system

    def mount(self, server):
        """Give a net.http.Server the routes."""
        for name, handler in (
            ("", self.index), ("profile", self.profile), ("heap", self.heap), ("allocs", self.allocs), ("goroutine", self.goroutine), ("cmdline", self.cmdline),
            ("page.css", pprof_page.css), ("page.js", pprof_page.js),
        ):
            server.route(_ROOT + name, handler)
        server.route(_ROOT + "symbol", self.symbol, ("GET", "POST"))
        server.route("/debug/vars", self.vars)
        for path in ("/", "/debug", "/debug/", "/debug/pprof"):
            server.route(path, lambda request: Response(status=302, headers=[("Location", _ROOT)]))

    # -- pages -----------------------------------------------------------------------------------

    def index(self, request):
        system = self._system
        return pprof_page.index(request.headers.get("host", "localhost"), system.vars(), system.about())

    def vars(self, request):
        return Response(json.dumps(self._system.vars()), type="application/json", headers=[("Cache-Control", "no-store")])

    def cmdline(self, request):
        return Response("\0".join(self._system.arguments()), type=_TEXT)

    # -- what the processor does -----------------------------------------------------------------

    async def profile(self, request):
        """?seconds=30&hz=100: what runs during that time. debug=1: folded stacks, a line each, as flame graphs take them."""
        seconds = _number(request, "seconds", _SECONDS, _SECONDS_MAX)
        hz = int(_number(request, "hz", _HZ, _HZ_MAX, 1))
        profiler = self._system.profiler
        if profiler.running():
            raise HTTPError(503, "a profile is being taken already", [("Retry-After", "5")])
        began = time.time_ns()
        profiler.start(hz)
        try:
            if await request.gone(int(seconds * 1000)):
                return None
        finally:
            profiler.stop()
        try:
            if request.query.get("debug") == "1":
                return Response("".join(folded(profiler.samples())), type=_TEXT)
            return _download("profile", cpu_profile(profiler, hz, began))
        finally:
            profiler.free()

    # -- what the heap holds ---------------------------------------------------------------------

    def heap(self, request):
        """?gc=0: count what a collection would free, too. debug=1: a table."""
        if request.query.get("gc") != "0":
            gc.collect()
        rows = self._system.profiler.heap()
        if request.query.get("debug", "0") != "0":
            return Response("".join(heap_table(rows)), type=_TEXT)
        return _download("heap", heap_profile(rows))

    async def allocs(self, request):
        """?seconds=10&rate=4096: who allocates during that time, looked at once in rate bytes, and what of it lives on."""
        seconds = _number(request, "seconds", _ALLOCS_SECONDS, _SECONDS_MAX)
        rate = int(_number(request, "rate", _RATE, _RATE_MAX, 32))
        profiler = self._system.profiler
        if profiler.sites_running():
            raise HTTPError(503, "allocations are being looked at already", [("Retry-After", "5")])
        began, ticks = time.time_ns(), time.ticks_ms()
        profiler.sites_start(rate)
        try:
            if await request.gone(int(seconds * 1000)):
                return None
            gc.collect()
        finally:
            dropped = profiler.sites_stop()
        try:
            return _download("allocs", allocs_profile(profiler.sites(), rate, dropped, began, time.ticks_diff(time.ticks_ms(), ticks) * 1000000))
        finally:
            profiler.sites_free()

    # -- tasks -----------------------------------------------------------------------------------

    def goroutine(self, request):
        """The tasks of asyncio. debug=1: equal stacks once; debug=2: each task's, with what it does."""
        tasks = self._system.tasks()
        debug = request.query.get("debug", "0")
        if debug == "0":
            return _download("goroutine", task_profile(tasks))
        return Response("".join(task_stacks(tasks) if debug == "2" else task_groups(tasks)), type=_TEXT)

    # -- addresses -------------------------------------------------------------------------------

    async def symbol(self, request):
        """Names of C functions: addresses in hex, joined by +, in the query or the body."""
        lines = ["num_symbols: 1\n"]
        words = (await request.read()) if request.method == "POST" else request.query_string
        for word in words.split(b"+"):
            name = self._name(word.strip())
            if name:
                lines.append("%s %s\n" % (str(word.strip(), "utf-8"), name))
        return "".join(lines)

    def _name(self, word):
        try:
            found = self._system.profiler.symbol(int(word, 16))
        except (ValueError, OverflowError):
            return None
        return found and found[0]


def _number(request, name, default, limit, least=0):
    text = request.query.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not max(least, 0.001) <= number <= limit:
        raise HTTPError(400, "%s must be %s to %d" % (name, least or "above 0", limit))
    return number


def _download(name, data):
    headers = [("Content-Disposition", 'attachment; filename="%s"' % name), ("X-Content-Type-Options", "nosniff")]
    return Response(gzip(data), type="application/octet-stream", headers=headers)


def function_name(file, function):
    """-> shell.session.run of "shell/session.py", "run"."""
    if not file:
        return function
    if file.endswith(".py"):
        file = file[:-3]
    return file.strip("/").replace("/", ".") + "." + function


# -- from what was found to profiles -------------------------------------------------------------


def cpu_profile(profiler, hz, began_ns):
    """-> the profile of what a profiler found. Time without work is not in it; a comment tells how much that was."""
    samples, idle, dropped, elapsed_ns = profiler.counts()
    period = 1000000000 // hz
    profile = Profile((("samples", "count"), ("cpu", "nanoseconds")), ("cpu", "nanoseconds"), period)
    for count, leaf, places in profiler.samples():
        locations = [profile.location(leaf, "keelback.efi")] if leaf else []
        locations += _locations(profile, places)
        profile.sample(locations, (count, count * period))
    profile.comment("%d samples of work, %d idle, %d dropped" % (samples - dropped, idle, dropped))
    return profile.encode(began_ns, elapsed_ns)


def _locations(profile, places):
    return [profile.location(function_name(file, function), file, line) for file, line, function in places]


def folded(samples):
    """Yield the lines of folded stacks: root;...;leaf count."""
    for count, leaf, places in samples:
        names = [function_name(file, function) for file, _, function in reversed(places)]
        yield "%s %d\n" % (";".join(names + [leaf] if leaf else names), count)


def _row_name(name, data):
    if name is None:
        return "(interpreter)"
    return name + " data" if data else name


def heap_profile(rows):
    """-> the profile of what the heap holds: types, and below them what their objects own."""
    profile = Profile((("inuse_objects", "count"), ("inuse_space", "bytes")), ("space", "bytes"), 1)
    for name, data, size, count, total in rows:
        locations = [profile.location(_row_name(name, data))]
        if data:
            locations.append(profile.location(_row_name(name, False)))
        profile.sample(locations, (count, total), (("bytes", size, "bytes"),))
    return profile.encode(time.time_ns())


def allocs_profile(sites, rate, dropped, began_ns, elapsed_ns):
    """-> the profile of what was allocated, and what of that lives, by who allocated it."""
    types = (("inuse_objects", "count"), ("inuse_space", "bytes"), ("alloc_objects", "count"), ("alloc_space", "bytes"))
    profile = Profile(types, ("space", "bytes"), rate)
    for allocated, live, size, places in sites:
        profile.sample(_locations(profile, places), (live // size, live, allocated // size, allocated), (("bytes", size, "bytes"),))
    if dropped:
        profile.comment("%d bytes found no room" % dropped)
    return profile.encode(began_ns, elapsed_ns)


def heap_table(rows):
    """Yield the lines of a table: bytes, objects, size class, type; the largest first."""
    yield "     bytes   objects      size  type\n"
    for name, data, size, count, total in sorted(rows, key=lambda row: -row[4]):
        yield "%10d %9d %9d  %s\n" % (total, count, size, _row_name(name, data))
    yield "%10d %9d            total\n" % (sum([row[4] for row in rows]), sum([row[3] for row in rows]))


def _groups(tasks):
    """-> [(frames, how many tasks stand there)], the most first."""
    groups = {}
    for _, _, frames in tasks:
        groups[frames] = groups.get(frames, 0) + 1
    return sorted(groups.items(), key=lambda group: -group[1])


def task_profile(tasks):
    """-> the profile of where tasks stand."""
    profile = Profile((("goroutine", "count"),), ("goroutine", "count"), 1)
    for frames, count in _groups(tasks):
        profile.sample(_locations(profile, frames), (count,))
    return profile.encode(time.time_ns())


def task_groups(tasks):
    """Yield the lines of debug=1. Places have numbers in place of addresses."""
    numbers = {}
    yield "goroutine profile: total %d\n" % len(tasks)
    for frames, count in _groups(tasks):
        for frame in frames:
            numbers.setdefault(frame, 0x1000 + len(numbers))
        yield "%d @ %s\n" % (count, " ".join(["%#x" % numbers[frame] for frame in frames]))
        for frame in frames:
            yield "#\t%#x\t%s+0x0\t%s:%d\n" % (numbers[frame], function_name(frame[0], frame[2]), frame[0], frame[1])
        yield "\n"


def task_stacks(tasks):
    """Yield the lines of debug=2."""
    for i, (name, state, frames) in enumerate(tasks):
        yield "goroutine %d [%s]:\n" % (i + 1, state)
        for file, line, function in frames:
            yield "%s()\n\t%s:%d\n" % (function_name(file, function), file, line)
        yield "created by %s\n\n" % name
