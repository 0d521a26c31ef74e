#!/usr/bin/env python3
"""Bring the third-party sources and the test firmware under the build folder.

    tools/fetch.py [--build DIR] [NAME ...]        (default: all sources)

Sources (micropython, lwip, mbedtls, libsodium) come as Debian source packages, firmware (ovmf2025, ovmf2022, amdsev) from the
system or as binary packages, tools of the tests out of a binary package (pprof), as a whole one (linux612), as one with all that
it depends on (qemu10), or by npm where there is one (speedscope); all are pinned by SHA-256 and unpacked into a cache outside the tree
(KEELBACK_CACHE, default ~/.cache/keelback), so that a second clone downloads nothing. The build folder gets
links: src/NAME, firmware/NAME/{CODE,VARS,OVMF}.fd, tools/NAME. MICROPYTHON_DIR, LWIP_DIR, MBEDTLS_DIR and LIBSODIUM_DIR
take the place of a download. Any number of these may run at once.

A source that is not the pinned one is refused. Firmware is only a tool of the tests: where the archive has
replaced the pinned package by an update, the update is taken, and said so.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

import debian
from debian import FetchError

SUITE = "trixie"
SOURCES = {  # name: (version, SHA-256 of the upstream tarball)
    "micropython": ("1.25.0", "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea"),
    "lwip": ("2.2.1", "83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1"),
    "libsodium": ("1.0.18", "d59323c6b712a1519a5daf710b68f5e7fde57040845ffec53850911f10a5d4f4"),
    "mbedtls": ("3.6.6", "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a"),
}
FIRMWARE = {  # name: (suite, package, version, SHA-256)
    "ovmf2025": ("trixie", "ovmf", "2025.02", "78e0d54df11fc77406cb7a0bc9a39e5bca6d1cbe06556b91d9a73491c52decdf"),
    "ovmf2022": ("bookworm", "ovmf", "2022.11", "e73d3d1a8799f7f6fc16b73501d913edcdd86237556fbff30693e747e6dc262e"),
    "amdsev": ("forky", "ovmf-amdsev", "2026.08", "92c9b6d15e4eeb371938c3f99080c1a8fc057dfd6bc0509d37f8b615e9edebfb"),
}
IMAGES = {  # package: {link: file below /usr/share}; OVMF.fd is code and variables in one
    "ovmf": {"CODE.fd": "OVMF/OVMF_CODE_4M.fd", "VARS.fd": "OVMF/OVMF_VARS_4M.fd", "OVMF.fd": "ovmf/OVMF.fd"},
    "ovmf-amdsev": {"OVMF.fd": "ovmf/OVMF.amdsev.fd"},
}
TOOLS = {  # of the tests; name: (suite, package, SHA-256, the one file that is kept)
    "pprof": ("bookworm", "golang-1.19-go", "545123039b6c79e75cf2d86528781a825424cf33ce9d3f4513d772d7144cd531",
              "usr/lib/go-1.19/pkg/tool/linux_amd64/pprof"),
}
TREES = {  # of the tests, packages of which all is kept; name: (kind, suite, package, SHA-256, the program that is linked)
    "qemu10": ("all", "trixie", "qemu-system-x86", "5e841d0723a657fd8bc2e9e1a085d24f47fcb3e4a0f94762e6c38b429f22fbb1", "usr/bin/qemu-system-x86_64"),
    "linux612": ("depends", "trixie", "linux-image-cloud-amd64", "e9893e5295d0549b8852611f12a4b8b5f6cc4b8128dcc2086b9847793b904ab7", None),
}
PACKAGES = {  # of the tests, from npm; name: (version, SHA-256)
    "speedscope": ("1.25.0", "2831f1e0d26df914b477e522d78b8485511495a6af81a0b88158f8b48f9e0d03"),
}
NAMES = [*SOURCES, *FIRMWARE, *TOOLS, *TREES, *PACKAGES]
SHARE = "usr/share"
LAUNCHER = """#!/bin/sh
# Run a program with the libraries, loader and modules of its own distribution. Made by tools/fetch.py.
here=$(dirname "$(readlink -f "$0")")
export QEMU_MODULE_DIR="$here/usr/lib/x86_64-linux-gnu/qemu"
exec "$here/usr/lib64/ld-linux-x86-64.so.2" --library-path "$here/usr/lib/x86_64-linux-gnu" "$here/{program}" -L "$here/usr/share/qemu" -L "$here/usr/share/seabios" "$@"
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build", type=pathlib.Path, help="the build folder")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    args = parser.parse_args()
    try:
        for name in args.names or SOURCES:
            provide(name, args.build)
    except (FetchError, OSError, subprocess.CalledProcessError) as e:
        sys.exit(f"fetch: {e}")


def provide(name, build):
    """Fetch what has that name, and link it under the build folder. Raises FetchError, OSError, CalledProcessError."""
    if name in SOURCES:
        link(build / "src" / name, source(name, build))
    elif name in FIRMWARE:
        for image, path in firmware(name, build).items():
            link(build / "firmware" / name / image, path)
    elif name in TOOLS:
        link(build / "tools" / name, tool(name, build))
    elif name in TREES:
        link(build / "tools" / name, tree(name, build))
    elif name in PACKAGES and not shutil.which("npm"):
        print(f"fetch: no npm, so {name} and the test that needs it are left out", flush=True)
    elif name in PACKAGES:
        link(build / "tools" / name, package(name, build))
    else:
        raise FetchError(f"nothing is called {name}; there are {', '.join(NAMES)}")


def source(name, build):
    """Return the folder of an unpacked source tree, from the user, the cache or the archive."""
    given = os.environ.get(f"{name.upper()}_DIR")
    if given:
        path = pathlib.Path(given).resolve()
        if not path.is_dir():
            raise FetchError(f"{name.upper()}_DIR={given} is not a folder")
        return path
    version, digest = SOURCES[name]
    return cached(f"{name}-{version}-{digest[:12]}", "source", name, SUITE, digest, build)


def firmware(name, build):
    """Return {name of the link: path} of a firmware's flash images, the system's where it has that version."""
    suite, package, version, digest = FIRMWARE[name]
    root = pathlib.Path("/")
    if not system_version(package).startswith(version):
        root = cached(f"{name}-{digest[:12]}", "binary", package, suite, digest, build)
    return {image: root / SHARE / path for image, path in IMAGES[package].items()}


def tool(name, build):
    """Return the path of a program that is one file of a package too large to install."""
    suite, package, digest, file = TOOLS[name]
    return cached(f"{name}-{digest[:12]}", "binary", package, suite, digest, build, file) / file


def tree(name, build):
    """Return the folder of an unpacked package, or of one with all that it depends on the program that starts it there."""
    kind, suite, package, digest, program = TREES[name]
    folder = cached(f"{name}-{digest[:12]}", kind, package, suite, digest, build, launch=program)
    return folder / pathlib.Path(program).name if program else folder


def package(name, build):
    """Return the folder of an unpacked npm package; nothing of it is run."""
    version, digest = PACKAGES[name]
    return cached(f"{name}-{version}-{digest[:12]}", "npm", f"{name}@{version}", "npm", digest, build)


def npm_pack(package, folder):
    """Download a package with the npm client, and return the file. Raises FetchError."""
    folder.mkdir(parents=True)
    done = subprocess.run(["npm", "pack", "--silent", "--pack-destination", folder, package], capture_output=True, text=True)
    if done.returncode:
        raise FetchError(f"npm pack {package}: {done.stderr.strip()}")
    return folder / done.stdout.split()[-1]


def system_version(package):
    """Return the version of an installed Debian package, or ''."""
    with contextlib.suppress(FileNotFoundError):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""
    return ""


def cached(entry, kind, package, suite, digest, build, member=None, launch=None):
    """Return the cache's folder of that name; first download, check and unpack the package (or one member) if it is missing.

    launch: the program for which a launcher is written. The folder appears complete, by one rename, or not at all; a lock
    keeps a second download from starting.
    """
    cache = pathlib.Path(os.environ.get("KEELBACK_CACHE") or default_cache())
    final, partial = cache / entry, cache / f".{entry}.partial"
    if final.is_dir():
        return final
    cache.mkdir(parents=True, exist_ok=True)
    with lock(cache / f".{entry}.lock"):
        if not final.is_dir():
            print(f"fetch: {package} from {suite}", flush=True)
            shutil.rmtree(partial, ignore_errors=True)  # left by a run that was killed
            files = download(kind, package, suite, partial)
            check(files[0], digest, strict=kind in ("source", "npm"))
            for file in files:
                unpack(file, partial / "tree", member)
            if launch:
                write_launcher(partial / "tree", launch)
            (partial / "tree").rename(final)
            shutil.rmtree(partial)
    return final


def download(kind, package, suite, partial):
    """Return the files of a package, its own first."""
    if kind == "npm":
        return [npm_pack(package, partial / "npm")]
    if kind != "all":
        return [debian.download(kind, package, suite, partial / "apt")]
    files = debian.download_all(package, suite, partial / "apt")
    return sorted(files, key=lambda f: not f.name.startswith(f"{package}_"))


def write_launcher(folder, program):
    """Write the script that runs a program out of a folder."""
    path = folder / pathlib.Path(program).name
    path.write_text(LAUNCHER.format(program=program))
    path.chmod(0o755)


def default_cache():
    """Return the cache folder of this user, by the XDG base directory specification."""
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "keelback"


@contextlib.contextmanager
def lock(path):
    """Hold an exclusive lock on a file; other processes wait."""
    with open(path, "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def check(file, digest, strict):
    """Compare a file with its SHA-256; if it is another, raise FetchError (strict) or say so."""
    actual = hashlib.sha256(file.read_bytes()).hexdigest()
    if actual == digest:
        return
    if strict:
        raise FetchError(f"{file.name} has SHA-256 {actual}, pinned is {digest}: the archive has moved on; "
                         "set KEELBACK_MIRROR to one that has the pinned version")
    print(f"fetch: {file.name} is not the pinned package but an update of it", flush=True)


def unpack(file, tree, member=None):
    """Unpack a .deb, or one member of it, or a tarball whose one top folder becomes tree."""
    if member:
        tree.mkdir()
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", file], stdout=subprocess.PIPE) as whole:
            subprocess.run(["tar", "-xC", tree, f"./{member}"], stdin=whole.stdout, check=True)
        return
    if file.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", file, tree], check=True)
        return
    inner = tree.with_name("inner")
    with tarfile.open(file) as tar:
        if hasattr(tarfile, "tar_filter"):
            tar.extraction_filter = tarfile.tar_filter
        members = tar.getmembers()
        for member in members:  # owned by who unpacks, root included
            member.uid, member.gid, member.uname, member.gname = os.getuid(), os.getgid(), "", ""
        tar.extractall(inner, members)
    tops = list(inner.iterdir())
    if len(tops) != 1:
        raise FetchError(f"{file.name} has {len(tops)} top folders, expected one")
    tops[0].rename(tree)


def link(path, target):
    """Make path a symbolic link to target, replacing an older one in one step."""
    if path.is_symlink() and os.readlink(path) == str(target):
        return
    if path.exists() and not path.is_symlink():
        raise FetchError(f"{path} is in the way; remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.rename(path)


if __name__ == "__main__":
    main()
