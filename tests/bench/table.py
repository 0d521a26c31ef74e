"""The table that `make bench` prints, and the ratios in it. A ratio above 1 says that Keelback is better."""
import math

PLAIN = "{:28} {:>14} {:>14} {:>8}   {}"

# name, how a figure is shown, and what the project asks of it (None: nothing); less is better throughout.
BOOT = (("instructions", lambda v: f"{v / 1e6:.2f} M", "at most 10 M"),
        ("wall", lambda v: f"{v:.0f} ms", "at most 100 ms"),
        ("image", lambda v: f"{v / 1e6:.2f} MB", "at most 1.2 MB"),
        ("used", lambda v: f"{v / 2**20:.2f} MiB", "at most 8 MiB"),
        ("rss_above_firmware", lambda v: f"{v / 1e6:.1f} MB", "at most 12 MB"),
        ("idle", lambda v: f"{v:.2f} %", "under 2 %"),
        ("smallest_memory", lambda v: f"{v} MiB", "64 MiB"))


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
    return "\n".join(out)
