"""Download Debian packages, through apt, without touching the machine's own apt state.

A private apt configuration is written into a work folder; the mirror and its keyring are those of
the machine's own sources (deb822 and one-line forms), or KEELBACK_MIRROR. apt checks the signatures.
Source: apt.conf(5), sources.list(5), apt-get(8).
"""

import glob
import os
import pathlib
import re
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
RELEASES = {"bullseye", "bookworm", "trixie", "forky", "oldstable", "stable", "testing", "sid", "unstable"}
TIME_LIMIT = 300  # s, for one apt command


class FetchError(Exception):
    """Something could not be had; the text is one line for the user."""


def download(kind, package, suite, work):
    """Download a package into a folder of its own and return the path of the file.

    kind: "source" (the upstream tarball), "binary" (the .deb) or "depends" (the .deb that a meta package depends on
    first). work: a folder for apt's lists. Raises FetchError.
    """
    config = _configure(kind, suite, pathlib.Path(work) / f"{suite}-{kind}")
    _apt(config, config.parent, "update")
    file = _download(config, kind, package, suite)
    return _download(config, kind, _first_dependency(file), suite) if kind == "depends" else file


def download_all(package, suite, work):
    """Download a package and all that it depends on, the C library too; return their files. Raises FetchError."""
    config = _configure("binary", suite, pathlib.Path(work) / f"{suite}-all")
    _apt(config, config.parent, "update")
    _apt(config, config.parent, "install", "--download-only", "--yes", "--no-install-recommends", package)
    return sorted((config.parent / "cache/archives").glob("*.deb"))


def _download(config, kind, package, suite):
    """Download one package by name."""
    out = config.parent / package
    out.mkdir(parents=True, exist_ok=True)
    for old in out.iterdir():
        old.unlink()
    if kind == "source":
        _apt(config, out, "source", "--download-only", "--tar-only", package)
    else:
        _apt(config, out, "download", package)
    found = [f for f in out.iterdir() if ".orig.tar." in f.name or f.suffix == ".deb"]
    if len(found) != 1:
        raise FetchError(f"{suite} gave {len(found)} files for the package {package}, expected one")
    return found[0]


def _first_dependency(file):
    """Return the name of the first package that a .deb depends on."""
    text = subprocess.run(["dpkg-deb", "-f", file, "Depends"], capture_output=True, text=True, check=True).stdout
    return re.match(r"[^\s,|(]*", text)[0]


def _configure(kind, suite, folder):
    """Write apt's configuration for one suite under folder and return its path."""
    folder = folder.resolve()
    for name in ("lists/partial", "cache/archives/partial", "etc"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    uri, signed_by = mirror()
    stanza = [f"Types: {'deb-src' if kind == 'source' else 'deb'}", f"URIs: {uri}", f"Suites: {suite}",
              "Components: main", f"Targets: {'Sources' if kind == 'source' else 'Packages'}"]
    if kind != "source":
        stanza.append("Architectures: amd64")
    if signed_by:
        stanza.append(f"Signed-By: {signed_by}")
    (folder / "debian.sources").write_text("\n".join(stanza) + "\n")
    config = folder / "apt.conf"
    config.write_text(
        f'Dir::Etc::sourcelist "{folder}/debian.sources";\n'
        'Dir::Etc::sourceparts "-";\nDir::Etc::preferences "/dev/null";\nDir::Etc::preferencesparts "-";\n'
        f'Dir::State "{folder}";\nDir::State::lists "{folder}/lists";\nDir::State::status "{folder}/status";\n'
        f'Dir::Cache "{folder}/cache";\nAPT::Sandbox::User "root";\nAPT::Architecture "amd64";\n'
        'Acquire::Languages "none";\nAcquire::Retries "3";\n'
        "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n")
    return config


def _apt(config, cwd, *args):
    """Run apt-get under the private configuration; on failure raise FetchError with apt's last complaint."""
    try:
        done = subprocess.run(["apt-get", "-q", "-c", str(config), *args], cwd=cwd, text=True, timeout=TIME_LIMIT,
                              stdin=subprocess.DEVNULL, capture_output=True)
    except FileNotFoundError:
        raise FetchError("apt-get is not installed; give MICROPYTHON_DIR, LWIP_DIR, MBEDTLS_DIR, LIBSODIUM_DIR and OVMF instead")
    except subprocess.TimeoutExpired:
        raise FetchError(f"apt-get {args[0]} took longer than {TIME_LIMIT} s")
    if done.returncode or (args[0] == "update" and re.search(r"^(W: Failed|Err:)", done.stdout + done.stderr, re.M)):
        complaints = re.findall(r"^[EW]: (.*)", done.stderr, re.M) or [f"exit status {done.returncode}"]
        raise FetchError(f"apt-get {args[0]} {args[-1] if len(args) > 1 else ''}: {complaints[0]}")


def mirror():
    """Return (URI, keyring or None) of the Debian archive this machine uses."""
    default_key = KEYRING if os.path.exists(KEYRING) else None
    given = os.environ.get("KEELBACK_MIRROR")
    if given:
        return given, default_key
    for entry in machine_sources():
        if entry["suite"] in RELEASES and "main" in entry["components"]:
            return entry["uri"], entry["signed_by"] or default_key
    raise FetchError("no Debian mirror in this machine's apt sources; set KEELBACK_MIRROR to one")


def machine_sources(root="/etc/apt"):
    """Yield the machine's apt entries as dicts of uri, suite, components and signed_by."""
    for path in [f"{root}/sources.list", *sorted(glob.glob(f"{root}/sources.list.d/*"))]:
        if not os.path.isfile(path):
            continue
        text = pathlib.Path(path).read_text(errors="replace")
        if path.endswith(".list"):
            yield from parse_list(text)
        elif path.endswith(".sources"):
            yield from parse_deb822(text)


def parse_list(text):
    """Yield the entries of a one-line-form source list."""
    for line in text.splitlines():
        m = re.match(r"\s*deb(?:-src)?\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)", line)
        if m:
            key = re.search(r"signed-by=(\S+)", m[1] or "")
            yield _entry(m[2], m[3], m[4].split(), key and key[1])


def parse_deb822(text):
    """Yield the entries of a deb822-form source list: one for each URI and suite."""
    text = re.sub(r"^#.*\n?", "", text, flags=re.M)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {k.lower(): v.strip() for k, v in re.findall(r"^([\w-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.M)}
        if fields.get("enabled", "yes").lower() in ("no", "false", "off", "0"):
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield _entry(uri, suite, fields.get("components", "").split(), fields.get("signed-by"))


def _entry(uri, suite, components, signed_by):
    """Make one source entry; a CD-ROM counts as none."""
    if uri.startswith("cdrom:"):
        suite = ""
    return {"uri": uri, "suite": suite, "components": components, "signed_by": signed_by}
