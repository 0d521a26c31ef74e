"""fetch.py: the cache, its pins, and two runs at once."""

import hashlib
import io
import multiprocessing
import os
import pathlib
import subprocess
import sys
import tarfile
import time

import pytest

import debian
import fetch

TOOL = pathlib.Path(fetch.__file__)


def archive(path, top="package-1"):
    """Make a source tarball; return its SHA-256."""
    with tarfile.open(path, "w:xz") as tar:
        for name, text in ((f"{top}/README", b"words"), (f"{top}/src/main.c", b"int x;")):
            info = tarfile.TarInfo(name)
            info.size, info.uid = len(text), 12345
            tar.addfile(info, io.BytesIO(text))
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package lwip that is "downloaded" from a file here, slowly, leaving a mark each time."""
    digest = archive(tmp_path / "lwip.orig.tar.xz")

    def download(kind, name, suite, work):
        with open(tmp_path / "downloads", "a") as log:
            log.write(f"{kind} {name} {suite}\n")
        time.sleep(0.3)
        pathlib.Path(work).mkdir(parents=True)
        copy = pathlib.Path(work) / "lwip.orig.tar.xz"
        copy.write_bytes((tmp_path / "lwip.orig.tar.xz").read_bytes())
        return copy

    monkeypatch.setattr(debian, "download", download)
    monkeypatch.setitem(fetch.SOURCES, "lwip", ("1", digest))
    monkeypatch.setenv("KEELBACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LWIP_DIR", raising=False)
    return tmp_path


def downloads(folder):
    return len((folder / "downloads").read_text().splitlines())


def test_unpacked_once(package):
    for build in ("one", "two"):
        tree = fetch.source("lwip", package / build)
        assert (tree / "src" / "main.c").read_text() == "int x;"
    assert downloads(package) == 1
    assert os.stat(tree / "README").st_uid == os.getuid()


def test_two_at_once(package):
    processes = [multiprocessing.get_context("fork").Process(target=fetch.source, args=("lwip", package)) for _ in range(3)]
    for p in processes:
        p.start()
    for p in processes:
        p.join(60)
    assert [p.exitcode for p in processes] == [0, 0, 0] and downloads(package) == 1


def test_killed_run_leaves_nothing_that_counts(package):
    version, digest = fetch.SOURCES["lwip"]
    partial = package / "cache" / f".lwip-{version}-{digest[:12]}.partial"
    (partial / "tree").mkdir(parents=True)
    assert (fetch.source("lwip", package) / "README").read_text() == "words"
    assert not partial.exists()


def test_wrong_source_is_refused(package, monkeypatch):
    monkeypatch.setitem(fetch.SOURCES, "lwip", ("1", "0" * 64))
    with pytest.raises(fetch.FetchError, match="pinned is 000"):
        fetch.source("lwip", package)
    assert not [p for p in (package / "cache").iterdir() if not p.name.startswith(".")]


def test_own_tree_wins(package, monkeypatch):
    (package / "mine").mkdir()
    monkeypatch.setenv("LWIP_DIR", str(package / "mine"))
    assert fetch.source("lwip", package) == package / "mine"


CONTROL = "Package: {}\nVersion: 1\nArchitecture: all\nMaintainer: m\nDescription: d\n"


def make_deb(path, files, control=""):
    """Make a package of that name with {path: text}."""
    root = path.with_suffix(".root")
    for name, text in {"DEBIAN/control": CONTROL.format(path.stem.split("_")[0]) + control, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["dpkg-deb", "-b", root, path], check=True, capture_output=True)
    return path


def test_one_file_of_a_package(tmp_path):
    """Of a package too large to keep, the file that is wanted comes, and a missing one is an error."""
    make_deb(tmp_path / "p.deb", {"usr/bin/a": "a", "usr/bin/b": "b"})
    fetch.unpack(tmp_path / "p.deb", tmp_path / "tree", "usr/bin/a")
    assert [p.name for p in (tmp_path / "tree").rglob("*") if p.is_file()] == ["a"]
    with pytest.raises(subprocess.CalledProcessError):
        fetch.unpack(tmp_path / "p.deb", tmp_path / "other", "usr/bin/c")


def test_program_with_all_that_it_needs(tmp_path, monkeypatch):
    """Packages lie in one tree; the launcher runs the program with its own loader and libraries, from anywhere, through a link."""
    loader = "#!/bin/sh\necho \"$QEMU_MODULE_DIR\" \"$@\"\n"
    files = [make_deb(tmp_path / "libc6_1.deb", {"usr/lib64/ld-linux-x86-64.so.2": loader}), make_deb(tmp_path / "prog_1.deb", {"usr/bin/prog": "p"})]
    (files[0].with_suffix(".root") / "usr/lib64/ld-linux-x86-64.so.2").chmod(0o755)
    subprocess.run(["dpkg-deb", "-b", files[0].with_suffix(".root"), files[0]], check=True, capture_output=True)
    digest = hashlib.sha256(files[1].read_bytes()).hexdigest()
    monkeypatch.setattr(debian, "download_all", lambda package, suite, work: pathlib.Path(work).mkdir(parents=True) or files)
    monkeypatch.setenv("KEELBACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(fetch.TREES, "prog9", ("all", "trixie", "prog", digest, "usr/bin/prog"))
    fetch.provide("prog9", tmp_path / "build")
    done = subprocess.run([tmp_path / "build/tools/prog9", "a b"], capture_output=True, text=True, cwd="/", check=True)
    tree = tmp_path / "cache" / f"prog9-{digest[:12]}"
    assert done.stdout == (f"{tree}/usr/lib/x86_64-linux-gnu/qemu --library-path {tree}/usr/lib/x86_64-linux-gnu {tree}/usr/bin/prog "
                           f"-L {tree}/usr/share/qemu -L {tree}/usr/share/seabios a b\n")


def test_what_a_meta_package_stands_for(tmp_path):
    meta = make_deb(tmp_path / "meta_1.deb", {}, "Depends: linux-image-6.12.117+deb13-cloud-amd64 (= 6.12.117-1), other\n")
    assert debian._first_dependency(meta) == "linux-image-6.12.117+deb13-cloud-amd64"


def test_link_follows_a_change(tmp_path):
    for target in ("a", "b", "b"):
        (tmp_path / target).mkdir(exist_ok=True)
        fetch.link(tmp_path / "src" / "x", tmp_path / target)
        assert os.readlink(tmp_path / "src" / "x") == str(tmp_path / target)
    assert os.listdir(tmp_path / "src") == ["x"]


@pytest.mark.parametrize("arguments, environment, words", [
    (["nothing"], {}, "nothing is called nothing"),
    (["lwip"], {"LWIP_DIR": "/nowhere"}, "LWIP_DIR=/nowhere is not a folder"),
    (["lwip"], {"KEELBACK_CACHE": "/proc/nowhere"}, "/proc/nowhere"),
])
def test_errors_are_one_line(tmp_path, arguments, environment, words):
    done = subprocess.run([sys.executable, TOOL, "--build", tmp_path, *arguments], env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and words in done.stderr
