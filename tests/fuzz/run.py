#!/usr/bin/env python3
"""Fuzz for a while: run.py [--seconds N] [--seed N], what make fuzz calls.

Eight fuzzers side by side, each started again with new seeds until the time is over, five of them on MicroPython's unix
port: lying_card.py (a virtio card that lies, against the drivers), messages.py (answers of name and time servers),
http_requests.py (clients of the HTTP server), sev_replies.py (what an SEV guest is given) and attestation.py (reports,
certificates and the like); and three under the address and undefined-behaviour sanitizers, frames/ (frames of every kind,
against lwIP as the machine has it), psp.c (guest messages, against the emulator's secure processor) and tests/sev/machine/fuzz.c (hosts
that lie, against boot/'s guest side of SEV-SNP). Beside them libFuzzer's targets take turns (guided.py), from what they learnt before. The first
failure ends it, with the seed or the input that shows it again.
"""

import argparse
import importlib.util
import os
import pathlib
import random
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("BUILD") or ROOT / "build").resolve()
MICROPYTHON = BUILD / "unix" / "micropython"
FRAMES = BUILD / "fuzz" / "frames"
PSP = BUILD / "snpemu" / "fuzz" / "psp"
LYING_HOST = BUILD / "fuzz" / "lying-host"
LIMIT = 120  # s, for one start of a fuzzer: longer is a hang

sys.path.insert(0, str(HERE / "frames"))
sys.path.insert(0, str(ROOT / "tests" / "sev" / "machine"))
import build  # noqa: E402  beside the sources that it compiles
import guestbuild  # noqa: E402
import guided  # noqa: E402


def lying_card(seed, operations):
    """Run the fuzzer of the drivers. Returns (its exit status, what it printed)."""
    return _micropython("lying_card.py", seed, operations)


def messages(seed, operations):
    """Run the fuzzer of answers to DNS and NTP. Returns (its exit status, what it printed)."""
    return _micropython("messages.py", seed, operations)


def http_requests(seed, conversations):
    """Run the fuzzer of the HTTP server. Returns (its exit status, what it printed)."""
    return _micropython("http_requests.py", seed, conversations)


def sev_replies(seed, operations):
    """Run the fuzzer of what an SEV guest is given. Returns (its exit status, what it printed)."""
    return _micropython("sev_replies.py", seed, operations)


def attestation(seed, inputs):
    """Run the fuzzer of what judges attestation; a package has a real report and its chain. Returns (its exit status, what it printed)."""
    vectors = pathlib.Path(importlib.util.find_spec("omne_attest").origin).parent / "vectors"
    return _micropython("attestation.py", seed, inputs, *(vectors / name for name in ("attestation.bin", "kds_vcek.der", "milan_ask.der", "milan_ark.der")))


def frames(seed, rounds):
    """Run the fuzzer of the stack. Returns (its exit status, what it printed)."""
    return _run([FRAMES, seed, rounds], {**os.environ, "ASAN_OPTIONS": "abort_on_error=0"})


def psp(seed, rounds):
    """Run the fuzzer of the emulator's secure processor. Returns (its exit status, what it printed)."""
    return _run([PSP, seed, rounds], dict(os.environ))


def lying_host(seed, rounds):
    """Run the fuzzer of boot/'s guest side of SEV-SNP. Returns (its exit status, what it printed)."""
    return _run([LYING_HOST, seed, rounds], dict(os.environ))


def build_lying_host():
    """Compile that fuzzer: three seconds."""
    LYING_HOST.parent.mkdir(parents=True, exist_ok=True)
    guestbuild.fuzzer(LYING_HOST)


def build_psp():
    """Compile the fuzzer of the secure processor, as far as it is not up to date; another make may be at it."""
    PSP.parents[1].mkdir(parents=True, exist_ok=True)
    command = ["flock", PSP.parents[1] / "lock", "make", "-f", "sev/emulator/psp.mk", f"BUILD={BUILD}", "--no-print-directory", "-rR", "psp-fuzz"]
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def build_frames():
    """Compile the fuzzer of the stack, as far as it is not up to date."""
    FRAMES.parent.mkdir(parents=True, exist_ok=True)
    build.build(FRAMES)


def _micropython(script, *arguments):
    path = os.pathsep.join(map(str, [HERE.parent / "fakes", ROOT, ".frozen", ROOT / "tools"]))
    return _run([MICROPYTHON, "-X", "heapsize=16M", HERE / script, *arguments], {**os.environ, "MICROPYPATH": path})


def _run(command, environment):
    try:
        done = subprocess.run(list(map(str, command)), env=environment, cwd=ROOT, timeout=LIMIT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as e:
        return -1, f"not done within {LIMIT} s: {' '.join(map(str, command))}\n{(e.stdout or b'').decode(errors='replace')}"
    return done.returncode, done.stdout.decode(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 24))
    args = parser.parse_args()
    build_frames()
    build_psp()
    build_lying_host()
    for name in guided.TARGETS:
        guided.make(name)
    failures, deadline = [], time.monotonic() + args.seconds

    def work(name, fuzz, amount, step):
        seed, starts = args.seed, 0
        while not failures and time.monotonic() < deadline:
            status, printed = fuzz(seed, amount)
            if status:
                failures.append(f"{name}, started with seed {seed}:\n{printed}")
            seed, starts = seed + step, starts + 1
        print(f"{name}: {starts} starts of {amount}, seeds {args.seed} to {seed - 1}", flush=True)

    def take_turns(names):
        for name in names:
            status, printed = guided.on(name, max(1, args.seconds // len(names))) if not failures else (0, "")
            if status:
                failures.append(f"libFuzzer, {name}:\n{printed}")
            elif printed:
                print(f"libFuzzer, {name}: {guided.summary(printed)}", flush=True)

    names = list(guided.TARGETS)
    workers = [threading.Thread(target=work, args=("lying card, operations", lying_card, 100_000, 2000)),
               threading.Thread(target=work, args=("messages", messages, 200_000, 200_000)),
               threading.Thread(target=work, args=("HTTP, conversations", http_requests, 50_000, 50_000)),
               threading.Thread(target=work, args=("SEV replies", sev_replies, 10_000, 10_000)),
               threading.Thread(target=work, args=("attestation, inputs", attestation, 10_000, 10_000)),
               threading.Thread(target=work, args=("secure processor, guests of 200 messages", psp, 200, 200)),
               threading.Thread(target=work, args=("lying host, rounds of 60 exceptions", lying_host, 2000, 2000)),
               threading.Thread(target=work, args=("frames, rounds of 1500", frames, 200, 200)),
               threading.Thread(target=take_turns, args=(names[::2],)), threading.Thread(target=take_turns, args=(names[1::2],))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        sys.exit("\n".join(failures))


if __name__ == "__main__":
    main()
