#!/usr/bin/env python3
"""Compile the fuzzer of the network stack for this host, with the sanitizers: build.py OUT. By gcc, or by clang for libFuzzer.

The lwIP files, their options and the compiler's view of them are the machine's own: port/port.mk names them.
"""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OURS = ("net_memory.c", "net_input.c", "net_output.c", "net_hooks.c", "net_blind.c", "dhcp_mtu.c", "net_checksum.c")  # what of port/ lwIP stands on
# lwIP reads packed headers wherever they lie, and takes the address of the first member of no address: both are harmless.
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize=alignment,null", "-fno-sanitize-recover=all"]


def listed():
    """Return ([lwIP files that port.mk lists], {file: what port.mk adds to its flags}), named from lwIP's src."""
    text = (ROOT / "port/port.mk").read_text()
    files = re.search(r"SRC_LWIP := \$\(addprefix lwip/,\\?\n(.*?)\)", text, re.S)[1].replace("\\", " ").split()
    flags = re.findall(r"^\$\(BUILD\)/lwip/(\S+)\.o: CFLAGS \+= (.*)$", text, re.M)
    # Who told a name server is of no interest here.
    return files, {f"{name}.c": [w for w in words.split() if not w.startswith("-Ddns_")] for name, words in flags}


def build(out, guided=False):
    """Compile: a program, or a target of libFuzzer's; raises subprocess.CalledProcessError."""
    lwip = pathlib.Path(os.environ.get("LWIP_DIR") or ROOT / "build/src/lwip") / "src"
    out = pathlib.Path(out).resolve()
    objects = out.with_suffix(".obj")
    objects.mkdir(parents=True, exist_ok=True)
    include = ["-I", HERE, "-I", ROOT, "-I", ROOT / "port", "-I", lwip / "include"]
    flags_of_all = ["-std=gnu11", "-O1", "-g", "-fno-omit-frame-pointer", "-w", *SANITIZERS]
    compiler = ["clang", *flags_of_all, "-DGUIDED"] if guided else ["gcc", *flags_of_all]
    coverage = ["-fsanitize=fuzzer-no-link"] if guided else []
    files, flags = listed()
    work = [(lwip / name, flags.get(name, [])) for name in files]
    work += [(path, []) for path in [*sorted(HERE.glob("*.c")), HERE.parent / "choices.c", *(ROOT / "port" / name for name in OURS)]]

    headers = [*HERE.rglob("*.h"), HERE.parent / "choices.h", *(ROOT / "port").rglob("*.h"), ROOT / "port/port.mk", pathlib.Path(__file__)]
    newest = max(path.stat().st_mtime for path in headers)

    def compile_one(item):
        path, more = item
        made = objects / f"{path.stem}.o"
        if made.exists() and made.stat().st_mtime > newest and made.stat().st_mtime > path.stat().st_mtime:
            return made
        subprocess.run(list(map(str, [*compiler, *coverage, *include, *more, "-c", "-o", made, path])), check=True, cwd=ROOT)
        return made

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        made = list(pool.map(compile_one, work))
    subprocess.run(list(map(str, [*compiler, *(["-fsanitize=fuzzer"] if guided else []), "-o", out, *made])), check=True)


if __name__ == "__main__":
    build(sys.argv[1])
