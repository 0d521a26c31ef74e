"""debian.py: reading the machine's apt sources, in both of their forms."""

import pytest

import debian

DEB822 = """\
Types: deb
# a comment in between
URIs: http://mirror.example/debian http://other.example/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: trixie
Components: main
"""


def test_deb822():
    entries = list(debian.parse_deb822(DEB822))
    assert [(e["uri"], e["suite"]) for e in entries] == [
        (f"http://{host}.example/debian", suite) for host in ("mirror", "other") for suite in ("trixie", "trixie-updates")]
    assert entries[0]["components"] == ["main", "contrib"]
    assert entries[0]["signed_by"].endswith("abc")


@pytest.mark.parametrize("line, expected", [
    ("deb http://mirror.example/debian trixie main contrib", ("http://mirror.example/debian", "trixie", ["main", "contrib"], None)),
    ("deb [arch=amd64 signed-by=/k.gpg] http://m.example/d stable main # c", ("http://m.example/d", "stable", ["main"], "/k.gpg")),
    ("  deb-src\thttp://m.example/d  sid\tmain", ("http://m.example/d", "sid", ["main"], None)),
    ("deb cdrom:[Debian 12]/ bookworm main", None),
    ("# deb http://m.example/d sid main", None),
    ("deb", None),
])
def test_one_line(line, expected):
    entries = [tuple(e.values()) for e in debian.parse_list(line) if e["suite"]]
    assert entries == ([expected] if expected else [])


def etc(tmp_path, monkeypatch, **files):
    """Make the machine's apt configuration from files."""
    (tmp_path / "sources.list.d").mkdir()
    for name, text in files.items():
        (tmp_path / "sources.list.d" / name.replace("_", ".")).write_text(text)
    sources = list(debian.machine_sources(tmp_path))
    monkeypatch.setattr(debian, "machine_sources", lambda: sources)
    monkeypatch.delenv("KEELBACK_MIRROR", raising=False)


def test_mirror_is_the_archive_and_not_another(tmp_path, monkeypatch):
    etc(tmp_path, monkeypatch, a_list="deb http://vendor.example/apt cloud main\ndeb http://sec.example/d trixie-security main\n",
        b_sources=DEB822)
    assert debian.mirror()[0] == "http://mirror.example/debian"


def test_mirror_can_be_given(monkeypatch):
    monkeypatch.setenv("KEELBACK_MIRROR", "http://given.example/debian")
    assert debian.mirror()[0] == "http://given.example/debian"


def test_no_mirror_says_what_to_do(tmp_path, monkeypatch):
    etc(tmp_path, monkeypatch)
    with pytest.raises(debian.FetchError, match="KEELBACK_MIRROR"):
        debian.mirror()


def test_unreachable_mirror_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("KEELBACK_MIRROR", "http://127.0.0.1:9/debian")
    with pytest.raises(debian.FetchError) as e:
        debian.download("source", "lwip", "trixie", tmp_path)
    assert "\n" not in str(e.value) and "127.0.0.1" in str(e.value)
