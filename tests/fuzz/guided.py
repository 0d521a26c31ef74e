"""The fuzzers that libFuzzer steers, by the coverage that an input reaches: what they are made of, and running one.

Harnesses of random fuzzers, built another way (choices.h), and those of flat/, to which an input is the bytes to judge. Inputs
that reach something new are kept in build/fuzz/corpus/NAME, one that fails goes to build/fuzz/findings.
"""

import collections
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("BUILD") or ROOT / "build").resolve()
OUT = BUILD / "fuzz" / "guided"
PSP = BUILD / "snpemu" / "guided"
HANG = 60  # s, for one input on a busy host
FLAGS = ["-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-fno-omit-frame-pointer", "-I", ROOT, "-I", ROOT / "boot",
         "-fsanitize=fuzzer,address,undefined", "-fno-sanitize=alignment", "-fno-sanitize-recover=all"]

# most: bytes of an input. runs: of make test, which then has reached so many edges at least.
Target = collections.namedtuple("Target", "most runs edges")
TARGETS = {
    "insn": Target(20, 50_000, 150),
    "cpuid_page": Target(32 + 0xC10, 10_000, 80),
    "ghcb_page": Target(74 + 4096, 10_000, 40),
    "options": Target(4096, 10_000, 70),
    "psp_request": Target(1 + 4096, 1000, 500),
    "psp": Target(1024, 50, 800),
    "lying_host": Target(4096, 500, 500),
    "frames": Target(8192, 60, 1500),
}
FLAT = {"insn": ["boot/vc_insn.c"], "cpuid_page": ["boot/cpuid_page.c"], "ghcb_page": ["boot/ghcb_page.c"], "options": ["sev/emulator/options.c"]}

sys.path.insert(0, str(HERE / "frames"))
sys.path.insert(0, str(ROOT / "tests" / "sev" / "machine"))
import build  # noqa: E402  beside the sources that it compiles
import guestbuild  # noqa: E402
import seeds  # noqa: E402


def make(name):
    """Compile a target; what takes long, only as far as it is not up to date. Returns the program; raises subprocess.CalledProcessError."""
    OUT.mkdir(parents=True, exist_ok=True)
    if name in FLAT:
        _call("clang", *FLAGS, "-o", OUT / name, HERE / "flat" / f"{name}.c", *(ROOT / source for source in FLAT[name]))
    elif name == "lying_host":
        guestbuild.fuzzer(OUT / name, guided=True)
    elif name == "frames":
        build.build(OUT / name, guided=True)
    else:
        PSP.mkdir(parents=True, exist_ok=True)
        _call("flock", PSP.parent / "lock", "make", "-f", "sev/emulator/psp.mk", f"BUILD={BUILD}", "--no-print-directory", "-rR", "psp-guided")
        return PSP / name
    return OUT / name


def once(name):
    """Run a target for make test: its runs, from a fixed seed and the first inputs. Returns (its exit status, what it printed)."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = pathlib.Path(folder)
        _plant(name, corpus)
        return _run(name, 600, f"-runs={TARGETS[name].runs}", "-seed=1", corpus)


def on(name, seconds):
    """Go on from the corpus of a target. Returns (its exit status, what it printed)."""
    corpus = BUILD / "fuzz" / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    _plant(name, corpus)
    return _run(name, seconds + 600, f"-max_total_time={seconds}", corpus)  # the corpus is read before the time counts


def coverage(printed):
    """Return how many edges a run has reached in the end."""
    return int(re.findall(r"\bcov: (\d+)", printed)[-1])


def summary(printed):
    """Return a run's last line of numbers, without what is always the same."""
    return re.findall(r"^#\d+\s+(?:DONE|pulse|NEW|REDUCE|INITED).*?(?= lim:| exec/s:|$)", printed, re.M)[-1]


def _plant(name, corpus):
    for i, data in enumerate(seeds.inputs(name, TARGETS[name].most)):
        (corpus / f"first-{i}").write_bytes(data)


def _run(name, limit, *arguments):
    findings = BUILD / "fuzz" / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    program = PSP / name if name.startswith("psp") else OUT / name
    command = [program, f"-max_len={TARGETS[name].most}", "-len_control=0", f"-timeout={HANG}", f"-artifact_prefix={findings}/{name}-", "-print_final_stats=1", *arguments]
    try:
        done = subprocess.run(list(map(str, command)), cwd=ROOT, timeout=limit, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired as e:
        return -1, f"not done within {limit} s: {' '.join(map(str, command))}\n{(e.stdout or b'').decode(errors='replace')}"
    return done.returncode, done.stdout.decode(errors="replace")


def _call(*command):
    subprocess.run(list(map(str, command)), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
