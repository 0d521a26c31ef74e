"""The scripts that measure the interpreter, and what their output means. The same for both sides.

A guest's clock runs at one nanosecond per instruction under `-icount shift=0`, so a script's own microseconds are
thousands of instructions.
"""
import pathlib
import re

GUEST = pathlib.Path(__file__).resolve().parent / "guest"
N, M = 100, 100         # perf_bench's parameters: MHz and kB of the machine that it is scaled for


def perf(micropython):
    """MicroPython's tests/perf_bench, put together as its run-perfbench.py does: {name: script}."""
    folder = pathlib.Path(micropython) / "tests/perf_bench"
    common = (folder / "benchrun.py").read_text()
    return {path.stem: "import sys\nsys.path.remove('')\n\n" + path.read_text() + common + f"bm_run({N}, {M})\n"
            for path in sorted(folder.glob("*.py")) if path.name != "benchrun.py"}


def perf_result(output):
    """(us per unit of work, result) of one perf_bench script; None where it skips itself.

    The result is printed last and must be the same on both sides. Raises ValueError for anything else.
    """
    words = output.strip().split(None, 2)
    if words[:1] == ["SKIP"] or words[:2] == ["-1", "-1"]:
        return None
    time, norm, result = words
    return int(time) / int(norm), result


def lines(name):
    """One of our own scripts, whose every line of output is a figure: {name: script}."""
    return {name: (GUEST / f"{name}.py").read_text()}


_LINE = {"micro": re.compile(r"^micro (\S+) .*\bus=(\d+)", re.M),
         "gcbench": re.compile(r"^gc (.{34}) us=(\d+)", re.M),
         "strings": re.compile(r"^str (\S+) n=\d+ us=(\d+)", re.M)}


def line_results(name, output):
    """{test: us} from the output of one of our scripts; a test that comes twice gets a number."""
    figures = {}
    for test, us in _LINE[name].findall(output):
        test = test.strip()
        again = sum(key.split(" #")[0] == test for key in figures)
        figures[f"{test} #{again + 1}" if again else test] = int(us)
    if not figures:
        raise ValueError(f"{name} printed no figures: {output[-300:]!r}")
    return figures
