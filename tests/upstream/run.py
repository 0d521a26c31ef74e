#!/usr/bin/env python3
"""Run MicroPython's own tests in booted machines, and on the unix port, and print the counts side by side.

    tests/upstream/run.py [--kind KIND] [--jobs N] [--no-unix] [FOLDER or TEST ...]

Ends with status 1 if a test failed in the machine.
"""

import argparse
import collections
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

import suite
from runner import BoardRunner, UnixRunner, run_all


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=suite.KINDS, action="append", help="bytecode or native; both if not given")
    parser.add_argument("--jobs", type=int, default=2, help="machines at a time")
    parser.add_argument("--no-unix", action="store_true", help="no comparison with the unix port")
    parser.add_argument("names", nargs="*", default=suite.FOLDERS, help="folders, such as float, or tests, such as float/cmath_fun.py")
    args = parser.parse_args()
    kinds = args.kind or list(suite.KINDS)
    names = suite.tests([n for n in args.names if "/" not in n]) + [n for n in args.names if "/" in n]
    jobs = [(kind, chunk) for kind in kinds for chunk in suite.chunks(kind, names)]
    where = {"keelback": [BoardRunner(f"machine{i}") for i in range(args.jobs)]}
    if not args.no_unix:
        where["unix"] = [UnixRunner(f"unix{i}") for i in range(args.jobs)]
    results = {}
    for place, runners in where.items():
        begin = time.monotonic()
        results[place] = run_all(runners, jobs)
        print(f"{place}: {len(results[place])} tests in {time.monotonic() - begin:.0f} s", flush=True)
    print_table(results, kinds, names)
    sys.exit(print_failures(results))


def print_table(results, kinds, names):
    """Print the counts, by kind and place."""
    print(f"\n{'kind':10}{'on':10}{'passed':>8}{'failed':>8}{'skipped':>9}{'excluded':>10}")
    for kind in kinds:
        excluded = len(suite.exclusions()[kind].keys() & set(names))
        for place, found in results.items():
            count = collections.Counter(status for (k, _), (status, _) in found.items() if k == kind)
            print(f"{kind:10}{place:10}{count['pass']:8}{count['FAIL']:8}{count['skip']:9}{excluded:10}")


def print_failures(results):
    """Print what failed where, or at first, and return 1 if a test failed in the machine."""
    for place, found in results.items():
        for (kind, name), (status, detail) in sorted(found.items()):
            if detail:
                print(f"\n{status} on {place}: {kind} {name}\n{detail}")
    return int(any(status == "FAIL" for status, _ in results["keelback"].values()))


if __name__ == "__main__":
    main()
