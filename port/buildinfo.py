"""Write the frozen module _build: what the executable was made from, in the order that it is shown.

    port/buildinfo.py OUT.py --cc CC --micropython VERSION --lwip DIR --mbedtls DIR --libsodium DIR [--hardened 1]

The file is left alone when nothing has changed, so that nothing is compiled again.
"""

import argparse
import os
import pathlib
import re
import subprocess
import time


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    for name in ("cc", "micropython", "lwip", "mbedtls", "libsodium"):
        parser.add_argument("--" + name)
    parser.add_argument("--hardened", default="", choices=("", "0", "1"))
    args = parser.parse_args()
    lines = ["    (%r, %r),\n" % item for item in info(args)]
    text = '"""What this executable was made from: (label, text) pairs."""\n\nINFO = (\n%s)\n' % "".join(lines)
    if not args.out.exists() or args.out.read_text() != text:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text)


def info(args):
    """Return the (label, text) pairs."""
    date = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", 0)))
    pairs = [
        ("Commit", output("git", "describe", "--always", "--dirty")),
        ("Date", time.strftime("%Y-%m-%dT%H:%M:%SZ", date)),
        ("Compiler", (output(args.cc, "--version") or "").splitlines()[0]),
        ("MicroPython", args.micropython.lstrip("v")),
        ("lwIP", lwip_version(pathlib.Path(args.lwip))),
        ("mbedTLS", mbedtls_version(pathlib.Path(args.mbedtls))),
        ("libsodium", libsodium_version(pathlib.Path(args.libsodium))),
        ("Hardened", "yes" if args.hardened == "1" else ""),
    ]
    return [(label, text) for label, text in pairs if text]


def output(*command):
    """Return what a command prints, or None if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def lwip_version(tree):
    text = (tree / "src/include/lwip/init.h").read_text()
    return ".".join(re.search(r"LWIP_VERSION_%s\s+(\d+)" % part, text)[1] for part in ("MAJOR", "MINOR", "REVISION"))


def mbedtls_version(tree):
    text = (tree / "include/mbedtls/build_info.h").read_text()
    return re.search(r'MBEDTLS_VERSION_STRING\s+"([^"]+)"', text)[1]


def libsodium_version(tree):
    return re.search(r"AC_INIT\(\[libsodium\],\[([^]]+)\]", (tree / "configure.ac").read_text())[1]


if __name__ == "__main__":
    main()
