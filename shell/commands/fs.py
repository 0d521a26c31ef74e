"""Commands about files: cat, ls, stat. Paths may be written with \\ as in EFI."""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import CommandError, command

_CHUNK = 4096
_DIRECTORY = 0x4000


@command("cat", "<path>", "show file contents", private=True)
def cat(ctx, path):
    """Write a file as it is, but for control characters: those are shown, terminals must not obey them."""
    import os

    path = _path(path)
    if os.stat(path)[0] & _DIRECTORY:  # open("/") would be refused for another reason
        raise CommandError("is a directory")
    with open(path, "rb") as f:
        while True:
            data = f.read(_CHUNK)
            if not data:
                return
            if data[-1] in b"\r\xc2":  # a line's end or a C1 character may be cut
                data += f.read(1)
            yield _visible(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


@command("ls", "(<path>)?", "list directory contents", private=True)
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


@command("stat", "<path>", "show file information", private=True)
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


def _visible(data):
    """-> data with its control characters, but tab and line feed, as ^@ to ^_, ^?, and ^[@ to ^[_ for C1 (in UTF-8)."""
    for c in range(0x20):
        if c != 9 and c != 10:
            data = data.replace(bytes((c,)), bytes((0x5E, c + 0x40)))
    data = data.replace(b"\x7f", b"^?")
    if b"\xc2" in data:
        for c in range(0x80, 0xA0):
            data = data.replace(bytes((0xC2, c)), bytes((0x5E, 0x5B, c - 0x40)))
    return data


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
