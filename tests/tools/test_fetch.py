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


def test_one_file_of_a_package(tmp_path):
    """Of a package too large to keep, the file that is wanted comes, and a missing one is an error."""
    root = tmp_path / "root"
    for name, text in (("DEBIAN/control", "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: m\nDescription: d\n"), ("usr/bin/a", "a"), ("usr/bin/b", "b")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["dpkg-deb", "-b", root, tmp_path / "p.deb"], check=True, capture_output=True)
    fetch.unpack(tmp_path / "p.deb", tmp_path / "tree", "usr/bin/a")
    assert [p.name for p in (tmp_path / "tree").rglob("*") if p.is_file()] == ["a"]
    with pytest.raises(subprocess.CalledProcessError):
        fetch.unpack(tmp_path / "p.deb", tmp_path / "other", "usr/bin/c")


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
