"""Fake of the C module ghcb: no SNP guest, until install() makes one of a psp.Host.

    host = ghcb.install(psp.Psp(), certificates)     # blob, secrets page and CPUID page in the fake memory
    host.faults = [psp.busy]                         # what the host does at the next exits (tests/fakes/psp.py)
    ghcb.remove()

Guest requests go to the host, shared memory of mem.dma() comes from it; counts() counts the exits.
"""

import struct

import mem
import psp
import tables

_ENODEV, _EIO = 19, 5
BLOB, SECRETS, CPUID = 0x7E000000, 0x80D000, 0x80E000
GUID = b"\x5f\x1f\x7b\x06\x26\xcf\xc5\x44\x85\x54\x93\xd7\x77\x91\x2d\x42"
C_BIT = 51

_host = None
_status = 0
_counts = {}
_void = []  # exits that fail as such are yet to come


def install(card=None, table=b"", status=7, vmpl=0):
    """Make this machine the guest of a processor and of a host with this certificate table. -> the psp.Host."""
    global _host, _status
    mem.reset()
    _host, _status = psp.Host(card or psp.Psp(), table), status
    _counts.clear()
    tables.system_table(tables=((GUID, BLOB),))
    mem.add(BLOB, struct.pack("<IHHQIIQII", 0x45444D41, 1, 0, SECRETS, 4096, 0, CPUID, 4096, 0))
    page = _host.psp.secrets()
    if vmpl:  # a service module below us, which keeps the keys of its levels
        struct.pack_into("<QQQIB", page, 0x140, 0x1000, 0x1000, 0x5000, 1, vmpl)
        page[0x20 : 0x20 + 32 * vmpl] = bytes(32 * vmpl)
    mem.add(SECRETS, page)
    mem.add(CPUID, cpuid_page())
    mem.dma = lambda size, align=4096, zeroed=True: _host.shared(size // 4096)
    return _host


def remove():
    """Make it an ordinary machine again."""
    global _host, _status
    mem.reset()
    _host, _status = None, 0


def void():
    """Let the next exit fail as such."""
    _void.append(1)


def cpuid_page():
    rows = (
        (0x0, (0x10, 0x68747541, 0x444D4163, 0x69746E65)),
        (0x1, (0x00A00F11, 0x01020800, 0x7EFA3203, 0x178BFBFF)),
        (0x80000000, (0x8000001F, 0x68747541, 0x444D4163, 0x69746E65)),
        (0x8000001F, (0x1A, C_BIT | 1 << 6, 509, 1)),
    )
    data = bytearray(4096)
    struct.pack_into("<I", data, 0, len(rows))
    for i, (leaf, regs) in enumerate(rows):
        struct.pack_into("<IIQQIIII", data, 0x10 + 0x30 * i, leaf, 0, 0, 0, *regs)
    return data


def _guest():
    if not _host:
        raise OSError(_ENODEV)


def sev_status():
    return _status


def c_bit():
    return C_BIT if _host else 0


def vcpu():
    _guest()
    return 0


def addr():
    _guest()
    return 0x7D000000


def protocol():
    _guest()
    return (1, 2, 2)


def features():
    _guest()
    return 3


def call(code, info1=0, info2=0, rax=None, rbx=None):
    _guest()
    _counts[code] = _counts.get(code, 0) + 1
    if _void:
        _void.pop()
        raise OSError(_EIO)
    info1, info2, rbx = _host.guest_request(code, info1, info2, rax, rbx)
    return info1, info2, 0, rbx


def counts():
    _guest()
    return {"exits": dict(_counts), "vc": {0x72: 3}}
