"""The table that `make bench` prints, and the ratios in it. A ratio above 1 says that Keelback is better."""
import math

PLAIN = "{:28} {:>14} {:>14} {:>8}   {}"

# name, how a figure is shown, and what the project asks of it (None: nothing); less is better throughout.
BOOT = (("instructions", lambda v: f"{v / 1e6:.2f} M", "at most 10 M"),
        ("wall", lambda v: f"{v:.0f} ms", "at most 100 ms"),
        ("image", lambda v: f"{v / 1e6:.2f} MB", "at most 1.8 MB"),
        ("used", lambda v: f"{v / 2**20:.2f} MiB", "at most 8 MiB"),
        ("rss_above_firmware", lambda v: f"{v / 1e6:.1f} MB", "at most 12 MB"),
        ("idle", lambda v: f"{v:.2f} %", "under 2 %"),
        ("smallest_memory", lambda v: f"{v} MiB", "64 MiB"))


def _thousand(v):
    return f"{v / 1e3:.1f} k"


def _at_most(limit, shown):
    return f"at most {shown}", lambda linux, keelback: keelback <= limit


_SHARE = ("at most 0.7 of Linux's", lambda linux, keelback: linux is None or keelback <= 0.7 * linux)
_TWICE = ("at least twice Linux's", lambda linux, keelback: linux is None or keelback >= 2 * linux)
_SAME = ("at least Linux's", lambda linux, keelback: linux is None or keelback >= linux)
_NONE = ("", lambda linux, keelback: True)

# part, its title; then name, how it is shown, (what is asked of it, is that met?), and whether more is better.
NET = (("http", "HTTP, guest instructions per request", (
           ("asyncio 1 KiB keep-alive", _thousand, _at_most(250e3, "250 k"), False),
           ("asyncio 1 KiB new connection", _thousand, _at_most(300e3, "300 k"), False),
           ("asyncio 1 MiB", _thousand, _at_most(6e6, "6000 k"), False),
           ("sync 1 KiB new connection", _thousand, _at_most(100e3, "100 k"), False),
           ("sync 1 MiB", _thousand, _NONE, False))),
       ("http_wall", "HTTP, free running, httpd_asyncio.py", (
           ("wrk c=1", lambda v: f"{v:.0f} /s", _TWICE, True),
           ("wrk c=8", lambda v: f"{v:.0f} /s", _TWICE, True),
           ("1 MiB bodies", lambda v: f"{v:.1f} MB/s", _SAME, True))),
       ("bulk", "bulk TCP, guest instructions per byte", tuple(
           (f"{way}, {over}", lambda v: f"{v:.3f}", _SHARE, False) for over in ("user", "tap") for way in ("to guest", "from guest"))),
       ("bulk_wall", "bulk TCP, free running", tuple(
           (f"{way}, {over}", lambda v: f"{v:.1f} MB/s", _NONE, True) for over in ("user", "tap") for way in ("to guest", "from guest"))),
       ("udp", "UDP echo, guest instructions per round trip", tuple((f"UDP echo {n} B", _thousand, _SHARE, False) for n in (64, 1400))),
       ("ping", "ping, guest instructions per round trip", tuple((f"ping {n} B", _thousand, _SHARE, False) for n in (64, 1400))),
       ("first_ping", "from net-virtio to the first answered ping", (
           ("first ping", lambda v: f"{v:.1f} ms", _at_most(20, "20 ms"), False),
           ("first ping, instructions", _thousand, _NONE, False))),
       ("ssh", "OpenSSH's client, from its start to the prompt", (
           ("ssh", lambda v: f"{v:.1f} ms", _at_most(60, "60 ms"), False),
           ("ssh, of that the guest", lambda v: f"{v:.1f} ms", _NONE, False),
           ("ssh, first", lambda v: f"{v:.1f} ms", _at_most(60, "60 ms"), False),
           ("ssh, of that first the guest", lambda v: f"{v:.1f} ms", _NONE, False),
           ("ssh, instructions", _thousand, _NONE, False))),
       ("net_idle", "idle with the network up, of a host core", (
           ("idle, network up", lambda v: f"{v:.2f} %", ("under 3 %", lambda linux, keelback: keelback < 3), False),)))


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def ratio(linux, keelback):
    return linux / keelback if linux and keelback else None


def ratios(linux, keelback):
    """{test: linux / keelback} for the tests that both sides have. Figures may be [time, result]; see scripts.py."""
    found = {}
    for test, theirs in linux.items():
        ours = keelback.get(test)
        if theirs is not None and ours is not None:
            found[test] = ratio(_time(theirs), _time(ours))
    return found


def _time(figure):
    return figure[0] if isinstance(figure, (list, tuple)) else figure


def disagreements(linux, keelback):
    """Tests whose result is not the same on both sides."""
    return [test for test, figure in linux.items()
            if isinstance(figure, (list, tuple)) and keelback.get(test) and list(keelback[test])[1:] != list(figure)[1:]]


def net_lines(rows, linux, keelback):
    for name, show, (wanted, met), more in rows:
        theirs, ours = linux.get(name), keelback.get(name)
        if theirs is None and ours is None:
            continue
        factor = ratio(ours, theirs) if more else ratio(theirs, ours)
        verdict = " - NOT MET" if ours is not None and not met(theirs, ours) else ""
        yield PLAIN.format(name, show(theirs) if theirs is not None else "-", show(ours) if ours is not None else "-",
                           f"{factor:.2f}" if factor else "-", wanted + verdict)


def failures(linux, keelback):
    """Tests of the suites measured that Keelback did not finish, or finished with another result."""
    suites = [suite for suite in linux if suite != "boot"]
    missing = [test for suite in suites for test, figure in linux[suite].items()
               if figure is not None and keelback.get(suite, {}).get(test) is None]
    return missing + [test for suite in suites for test in disagreements(linux[suite], keelback.get(suite, {}))]


def boot_lines(linux, keelback):
    for name, show, wanted in BOOT:
        theirs, ours = linux.get(name), keelback.get(name)
        if theirs is None and ours is None:
            continue
        factor = ratio(theirs, ours)
        yield PLAIN.format(name, show(theirs) if theirs is not None else "-", show(ours) if ours is not None else "-",
                           f"{factor:.1f}" if factor else "-", wanted)


def chart_lines(chart, ticks_per_instruction=1):
    """The phases of a boot: what each took, from the time stamps at their ends."""
    last = 0
    for name, tsc in chart:
        yield f"  {name:26} {(tsc - last) / ticks_per_instruction / 1e6:14.3f} M"
        last = tsc


def suite_lines(suite, linux, keelback):
    found = ratios(linux, keelback)
    for test, theirs in linux.items():
        if theirs is None:
            continue
        ours = keelback.get(test)
        factor = found.get(test)
        yield PLAIN.format(test[:28], f"{_time(theirs):.0f}", f"{_time(ours):.0f}" if ours is not None else "-",
                           f"{factor:.3f}" if factor else "-", "")
    if found:
        worst = min(found, key=found.get)
        yield f"{suite}: geometric mean {geometric_mean(found.values()):.3f} over {len(found)}, worst {worst} {found[worst]:.3f}"
    for test in disagreements(linux, keelback):
        yield f"{suite}: {test} gives another result than in the Linux guest"


def render(linux, keelback):
    """The whole table as text. Both: {"boot": {...}, suite: {...}, ...}, as measure.py collects them."""
    out = [PLAIN.format("", "Linux guest", "keelback", "ratio", "wanted")]
    if "boot" in keelback or "boot" in linux:
        out += boot_lines(linux.get("boot", {}), keelback.get("boot", {}))
        if keelback.get("boot", {}).get("chart"):
            out += ["", "boot chart, million TSC ticks (= instructions):", *chart_lines(keelback["boot"]["chart"])]
    for suite in ("perf", "micro", "gcbench", "strings"):
        if suite in keelback or suite in linux:
            out += ["", f"{suite}, thousand instructions", *suite_lines(suite, linux.get(suite, {}), keelback.get(suite, {}))]
    for part, title, rows in NET:
        if part in keelback or part in linux:
            out += ["", title, *net_lines(rows, linux.get(part, {}), keelback.get(part, {}))]
    return "\n".join(out)
