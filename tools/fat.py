"""Write a FAT32 disk image that holds a folder: one file system, no partition table.

The image depends on the folder's content and times of modification alone (kept in UTC); it is sparse. Written once, so
every file is contiguous. Names that are no upper-case 8.3 names get long-name entries and a numbered short alias.
Left out: attributes other than folder, creation and access times.
Source: Microsoft FAT specification 1.03, sections 3-7.
"""

import pathlib
import re
import struct
import time

SECTOR = CLUSTER = 512        # bytes; small clusters, since small files are the usual case
RESERVED = 32                 # sectors before the first table
FATS = 2
CLUSTERS_MIN = 65525 + 475    # below 65525 it would be a FAT16
END_OF_CHAIN = 0x0FFFFFFF
ATTR_DIRECTORY, ATTR_ARCHIVE, ATTR_LONG_NAME = 0x10, 0x20, 0x0F
LAST_LONG_ENTRY = 0x40
SHORT_NAME = re.compile(r"[A-Z0-9$%'_@~`!(){}^#&-]{1,8}(\.[A-Z0-9$%'_@~`!(){}^#&-]{1,3})?\Z")
EARLIEST = time.struct_time((1980, 1, 1, 0, 0, 0, 0, 0, 0))


class Node:
    """A file or folder: its place in the image and, for a folder, its children in order."""

    def __init__(self, path, parent=None):
        self.path = path
        self.parent = parent
        self.is_dir = path.is_dir()
        self.children = [Node(p, self) for p in sorted(path.iterdir())] if self.is_dir else []
        self.names = {}           # child -> its directory entries, but for the first cluster
        self.first = 0            # first cluster, 0: none
        stat = path.stat()
        self.mtime = stat.st_mtime
        if self.is_dir:
            self.names = dict(zip(self.children, name_entries([c.path.name for c in self.children])))
            dots = 0 if parent is None else 2
            self.size = 32 * (dots + sum(len(long) // 32 + 1 for long, _ in self.names.values()) + 1)
        else:
            self.size = stat.st_size
            if self.size >= 1 << 32:
                raise ValueError(f"{path} is too large for FAT32")

    def walk(self):
        """Yield this node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def write(image, folder):
    """Write the image of a folder. Raises ValueError for what FAT32 cannot hold."""
    root = Node(pathlib.Path(folder))
    used = 2
    table = [0x0FFFFFF8, END_OF_CHAIN]
    for node in root.walk():
        count = -(-node.size // CLUSTER)
        if count:
            node.first = used
            table += [*range(used + 1, used + count), END_OF_CHAIN]
            used += count
    clusters = max(used - 2 + 2048, CLUSTERS_MIN)
    fat_sectors = -(-4 * (clusters + 2) // SECTOR)
    data = (RESERVED + FATS * fat_sectors) * SECTOR
    with open(image, "wb") as f:
        f.write(boot_sectors(clusters, fat_sectors, used))
        for i in range(FATS):
            f.seek((RESERVED + i * fat_sectors) * SECTOR)
            f.write(struct.pack(f"<{len(table)}I", *table))
        for node in root.walk():
            if node.first:
                f.seek(data + (node.first - 2) * CLUSTER)
                f.write(directory(node) if node.is_dir else node.path.read_bytes())
        f.truncate(data + clusters * CLUSTER)


def boot_sectors(clusters, fat_sectors, used):
    """Return the boot sector, the FSInfo sector, and the backup of both at sector 6."""
    total = RESERVED + FATS * fat_sectors + clusters * CLUSTER // SECTOR
    bpb = struct.pack("<3s8sHBHBHHBHHHII", b"\xeb\x58\x90", b"KEELBACK", SECTOR, CLUSTER // SECTOR, RESERVED, FATS, 0, 0, 0xf8,
                      0, 63, 255, 0, total)
    bpb += struct.pack("<IHHIHH12xBBBI11s8s", fat_sectors, 0, 0, 2, 1, 6, 0x80, 0, 0x29, 0, b"NO NAME    ", b"FAT32   ")
    boot = bpb.ljust(510, b"\0") + b"\x55\xaa"
    info = b"RRaA".ljust(484, b"\0") + struct.pack("<4sII12x4s", b"rrAa", clusters + 2 - used, used, b"\0\0\x55\xaa")
    return (boot + info).ljust(6 * SECTOR, b"\0") + boot + info


def directory(node):
    """Return the content of a folder."""
    entries = []
    if node.parent:
        above = 0 if node.parent.parent is None else node.parent.first  # the root is written as 0 here
        entries = [short_entry(b".".ljust(11), node, node.first), short_entry(b"..".ljust(11), node, above)]
    for child in node.children:
        long, short = node.names[child]
        entries.append(long + short_entry(short, child, child.first))
    return b"".join(entries).ljust(node.size, b"\0")


def short_entry(name, node, first):
    """Return the 32-byte entry of a node under its 11-byte name."""
    t = max(time.gmtime(node.mtime), EARLIEST)
    date, clock = (t.tm_year - 1980) << 9 | t.tm_mon << 5 | t.tm_mday, t.tm_hour << 11 | t.tm_min << 5 | t.tm_sec // 2
    return struct.pack("<11sBBBHHHHHHHI", name, ATTR_DIRECTORY if node.is_dir else ATTR_ARCHIVE, 0, 0, 0, 0, date, first >> 16,
                       clock, date, first & 0xffff, 0 if node.is_dir else node.size)


def name_entries(names):
    """Yield (long-name entries, 11-byte short name) for each of a folder's names."""
    taken = {name for name in names if SHORT_NAME.match(name)}
    number = 0
    for name in names:
        if name in taken:
            stem, _, extension = name.partition(".")
            yield b"", (stem.ljust(8) + extension.ljust(3)).encode()
            continue
        number += 1
        while f"~{number:07}" in taken:
            number += 1
        short = f"~{number:07}   ".encode()
        yield long_entries(name, short), short


def long_entries(name, short):
    """Return the entries of a long name, the last part first, as they lie before the short entry."""
    units = name.encode("utf-16-le", "surrogatepass")
    if len(units) > 2 * 255:
        raise ValueError(f"the name {name} is longer than 255 characters")
    parts = -(-len(units) // 26)
    if len(units) % 26:
        units = (units + b"\0\0").ljust(26 * parts, b"\xff")
    checksum = 0
    for byte in short:
        checksum = ((checksum & 1) << 7 | checksum >> 1) + byte & 0xff
    entries = []
    for i in range(parts):
        part = units[26 * i:26 * i + 26]
        order = i + 1 | (LAST_LONG_ENTRY if i == parts - 1 else 0)
        entries.append(struct.pack("<B10sBBB12sH4s", order, part[:10], ATTR_LONG_NAME, 0, checksum, part[10:22], 0, part[22:]))
    return b"".join(reversed(entries))
