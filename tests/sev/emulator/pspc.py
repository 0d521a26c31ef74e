"""The emulator's secure processor as a shared library of this machine, and messages as a guest makes them with Python's cryptography.

Its launch options are read from psp.h, so that the two cannot differ. The library has one guest; a new Guest begins a new one.
"""

import ctypes
import json
import pathlib
import re
import struct
import subprocess

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import qemu

ROOT = pathlib.Path(__file__).resolve().parents[3]
OUT = qemu.BUILD / "snpemu"
HEADER = "<16s16sQQBBHBBHIB35s"  # tag, rest of tag, number, 0, algorithm, version, length, type, version, payload, 0, VMPCK, 0
OK, BAD_MEASUREMENT, INVALID_PARAM, AEAD_OFLOW, INVALID_KEY = 0, 0x0B, 0x16, 0x1D, 0x27
KEY, REPORT, TSC = 3, 5, 17
PAGE = 4096
UNTOUCHED = b"\xee" * PAGE
C_TYPES = {"uint8_t": ctypes.c_uint8, "uint32_t": ctypes.c_uint32, "uint64_t": ctypes.c_uint64, "bool": ctypes.c_bool, "PSP_VMPCKS": 4}
CPUS = {"Milan": (0x19, 0x01, 1), "Genoa": (0x19, 0x11, 1), "Turin": (0x1A, 0x02, 1)}
RANDOM = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint8), ctypes.c_size_t)


def make(target):
    """Compile, as far as something has changed; several tests may want it at once."""
    OUT.mkdir(parents=True, exist_ok=True)
    command = ["flock", OUT / "lock", "make", "-f", "sev/emulator/psp.mk", f"BUILD={qemu.BUILD}", "--no-print-directory", "-rR", target]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def launch_fields():
    """-> _fields_ of psp_launch_t."""
    text = (ROOT / "sev/emulator/psp.h").read_text()
    body = re.sub(r"//.*", "", re.search(r"typedef struct \{(.*?)\} psp_launch_t;", text, re.S)[1])
    fields = []
    for kind, names in re.findall(r"(\w+)\s+([^;]+);", body):
        for name, length in re.findall(r"(\w+)(?:\[(\w+)\])?", names):
            size = C_TYPES.get(length) or int(length or 0)
            fields.append((name, C_TYPES[kind] * size if size else C_TYPES[kind]))
    return fields


class Launch(ctypes.Structure):
    _fields_ = launch_fields()


def load():
    """-> the library, compiled."""
    make("psp-host")
    library = ctypes.CDLL(str(OUT / "host" / "libpsp.so"))
    for name in ("psp_complaint", "psp_fault_name", "psp_certificates_name"):
        getattr(library, name).restype = ctypes.c_char_p
    for name in ("psp_start", "psp_fault", "psp_certificates_form"):
        getattr(library, name).restype = ctypes.c_bool
    library.psp_certificates.restype = ctypes.c_size_t
    library.psp_certificates.argtypes = (ctypes.c_char_p, ctypes.c_size_t)
    return library


def known():
    """-> what tools/snpidentity.py says of its products."""
    return json.loads((OUT / "identity" / "identity.json").read_text())


def der(product, name):
    return (OUT / "identity" / product.lower() / f"{name}.der").read_bytes()


def header(number, kind, version, vmpck, size, algorithm=1, header_version=1, header_len=0x60, tag=b"", rest=b"", zero28=0, zero38=0, zero3d=b""):
    return struct.pack(HEADER, tag, rest, number, zero28, algorithm, header_version, header_len, kind, version, size, zero38, vmpck, zero3d)


def seal(key, number, kind, payload, version=1, vmpck=0, size=None, **fields):
    """-> a request's page. fields: wrong ones, as header() has them."""
    head = header(number, kind, version, vmpck, len(payload) if size is None else size, **fields)
    sealed = AESGCM(key).encrypt(number.to_bytes(12, "little"), payload, head[0x30:])
    return (sealed[-16:] + head[16:] + sealed[:-16]).ljust(PAGE, b"\0")


def report_payload(data=bytes(64), vmpl=0, key=0):
    return struct.pack("<64sII24x", data, vmpl, key)


def key_payload(fields=0, root=0, vmpl=0, svn=0, tcb=0, mit=None):
    return struct.pack("<IIQIIQ", root, 0, fields, vmpl, svn, tcb) + (b"" if mit is None else struct.pack("<Q", mit))


class Guest:
    """A guest of the library. product: its CPU; options: fields of psp_launch_t. Keeps count of its sequence numbers."""

    def __init__(self, library, seed=1, product="Genoa", **options):
        self.library, self.product = library, product
        launch = Launch()
        library.psp_launch_default(ctypes.byref(launch))
        for name, value in {**dict(zip(("family", "model", "stepping"), CPUS[product])), **options}.items():
            kind = dict(Launch._fields_)[name]
            setattr(launch, name, kind(*value) if isinstance(value, (bytes, tuple)) else value)
        self.launch = launch
        self._random = RANDOM(self._fill)
        self._state = seed
        self.started = library.psp_start(ctypes.byref(launch), self._random)
        if self.started:
            page = ctypes.create_string_buffer(UNTOUCHED, PAGE)
            library.psp_secrets_page(page)
            self.secrets = page.raw
            self.keys = [self.secrets[0x20 + 32 * i : 0x40 + 32 * i] for i in range(4)]
            self.numbers = [number + 1 for number in launch.used]

    def _fill(self, out, count):
        for i in range(count):
            self._state = (self._state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
            out[i] = self._state >> 56

    @property
    def complaint(self):
        text = self.library.psp_complaint()
        return text and text.decode()

    def hand_over(self, page, vmpl=0):
        """-> (status, the response page)."""
        response = ctypes.create_string_buffer(UNTOUCHED, PAGE)
        return self.library.psp_guest_request(page, response, vmpl), response.raw

    def seal(self, kind, payload, version=1, vmpck=0, number=None, **fields):
        return seal(self.keys[vmpck & 3], self.numbers[vmpck & 3] if number is None else number, kind, payload, version, vmpck, **fields)

    def open(self, page, kind, version=1, vmpck=0):
        """-> the payload of the answer to the request that was counted last; its header must be that of one, to the byte."""
        number = self.numbers[vmpck]
        fields = struct.unpack_from(HEADER, page)
        size = fields[9]
        assert page[16:0x60] == header(number + 1, kind + 1, version, vmpck, size)[16:], page[:0x60].hex()
        assert page[0x60 + size :] == bytes(PAGE - 0x60 - size)
        return AESGCM(self.keys[vmpck]).decrypt((number + 1).to_bytes(12, "little"), page[0x60 : 0x60 + size] + page[:16], page[0x30:0x60])

    def ask(self, kind, payload, version=1, vmpck=0, vmpl=0):
        """-> the payload of the answer."""
        status, response = self.hand_over(self.seal(kind, payload, version, vmpck), vmpl)
        assert status == OK, (status, self.complaint)
        answer = self.open(response, kind, version, vmpck)
        self.numbers[vmpck] += 2
        return answer

    def refuses(self, page, status, complaint, vmpl=0):
        """The message must be refused so, nothing be written, and the counters stay: the next good message is answered."""
        got, response = self.hand_over(page, vmpl)
        assert (got, response) == (status, UNTOUCHED), (got, self.complaint)
        assert complaint in self.complaint, self.complaint

    def report(self, data=bytes(64), vmpl=0, key=0, vmpck=0):
        """-> an attestation report."""
        answer = self.ask(REPORT, report_payload(data, vmpl, key), vmpck=vmpck)
        assert struct.unpack_from("<II24s", answer) == (OK, 0x4A0, bytes(24)) and len(answer) == 0x4C0
        return answer[0x20:]

    def key(self, version=1, vmpck=0, pad=0, **options):
        """-> (status, derived key)."""
        answer = self.ask(KEY, key_payload(**options) + bytes(pad), version, vmpck)
        assert len(answer) == 64 and answer[4:32] == bytes(28)
        return struct.unpack_from("<I", answer)[0], answer[32:]

    def fault(self, name):
        """Have the next answer be wrong in this way."""
        assert self.library.psp_fault(name.encode())

    def tag_wrong(self, page, kind):
        """Does the answer fail to authenticate?"""
        try:
            self.open(page, kind)
        except InvalidTag:
            return True
        return False


class Keyed(Guest):
    """A guest with these VMPCKs, 128 bytes."""

    def __init__(self, library, keys, **options):
        self._keys = keys
        super().__init__(library, **options)
        assert self.secrets[0x20:0xA0] == keys

    def _fill(self, out, count):
        """The processor asks for them first."""
        for i, byte in enumerate(self._keys[:count] if self._keys else bytes(count)):
            out[i] = byte
        self._keys = b""
