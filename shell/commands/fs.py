"""Commands about files: cat, ls, stat. Paths may be written with \\ as in EFI."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import CommandError, command

_CHUNK = 4096
_DIRECTORY = 0x4000


@command("cat", "<path>", "show file contents")
def cat(ctx, path):
    """Write a file as it is, but for escape sequences: those are shown, terminals must not obey them."""
    with open(_path(path), "rb") as f:
        while True:
            data = f.read(_CHUNK)
            if not data:
                return
            data = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            yield data.replace(b"\x1b", b"^[").replace(b"\xc2\x9b", b"^[")


@command("ls", "(<path>)?", "list directory contents")
def ls(ctx, path):
    import os

    path = _path(path or ".")
    if not os.stat(path)[0] & _DIRECTORY:
        yield _entry("f", os.stat(path)[6], path)
        return
    folder = path.rstrip("/") + "/"
    for entry in sorted(os.ilistdir(path)):
        name = entry[0]
        if entry[1] == _DIRECTORY:
            yield _entry("d", None, name)
        else:
            yield _entry("f", entry[3] if len(entry) > 3 else os.stat(folder + name)[6], name)


@command("stat", "<path>", "show file information")
def stat(ctx, path):
    import os

    from shell import rfc3339
    from shell.table import plural, table

    path = _path(path)
    fields = os.stat(path)
    is_folder = fields[0] & _DIRECTORY
    rows = [("Type", "directory" if is_folder else "file")]
    if not is_folder:
        rows.append(("Size", plural(fields[6], "byte")))
    for i, label in ((8, "Modified"), (7, "Accessed"), (9, "Changed")):
        rows.append((label, rfc3339.text(fields[i] * 1000000000)))
    if not is_folder:
        rows.append(("SHA-256", _sha256(path)))
    return table(rows)


def _path(path):
    return path.replace("\\", "/")


def _entry(kind, size, name):
    from shell import utf8

    name = str(utf8.clean(name.encode())[0], "utf-8")  # a boot volume may hold any name
    return "%s %12s %s" % (kind, "" if size is None else size, name)


def _sha256(path):
    import hashlib

    digest = hashlib.sha256()
    with open(path, "rb") as f:
        data = f.read(_CHUNK)
        while data:
            digest.update(data)
            data = f.read(_CHUNK)
    return digest.digest().hex()
