"""The guest side of SEV-SNP as a library (machine/), for tests: boot/'s #VC handler, GHCB and page states over a made-up machine."""

import ctypes
import sys
import pathlib
import subprocess

sys.path.insert(0, str(pathlib.Path(__file__).parent / "machine"))
import guestbuild  # noqa: E402  beside what it compiles

PAGE = 4096
R, W, X, UC, SHARED = 1, 2, 4, 8, 16
DEVICE = R | W | UC | SHARED
PRIVATE_RMP, VALIDATED, SHARED_RMP = range(3)
OK, EXCEPTION, REPORT, BROKEN, TERMINATED, POWERED_OFF = range(6)
REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{i}" for i in range(8, 16))]
CODE, MMIO = 2000, 1900  # pages of the arena: instructions are put into one, the other has registers of a device
u64, u32 = ctypes.c_uint64, ctypes.c_uint32


class Frame(ctypes.Structure):
    """trap_frame_t."""

    _fields_ = [(n, u64) for n in ("r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8", "rbp", "rdi", "rsi", "rdx", "rcx", "rbx", "rax",
                                   "vector", "error", "rip", "cs", "rflags", "rsp", "ss")]


class Exit(ctypes.Structure):
    """exit_log_t."""

    _fields_ = [*((n, u64) for n in ("code", "info1", "info2", "rax", "rbx", "rcx", "rdx")), ("valid", ctypes.c_uint8 * 16), ("buffer", ctypes.c_uint8 * 32)]

    def has(self, offset):
        return bool(self.valid[offset // 64] >> (offset // 8 % 8) & 1)


HOOK = ctypes.CFUNCTYPE(None, ctypes.POINTER(ctypes.c_uint8))
CPUID_HOOK = ctypes.CFUNCTYPE(u32, u32)


class State(ctypes.Structure):
    """machine_t."""

    _fields_ = [("answer1", u64), ("answer2", u64), ("answer", ctypes.c_bool), ("silent", ctypes.c_bool), ("in_value", u64), ("msr_value", u64),
                ("mmio_value", u64), ("psc_chunk", u32), ("psc_fault", u32), ("sev_info", u64), ("features", u64), ("refuse_registration", ctypes.c_bool),
                ("refuse_psc", ctypes.c_bool), ("hook", HOOK), ("exits", u32), ("msr_exits", u32), ("log", Exit * 64), ("cr2", u64),
                ("text", ctypes.c_char * 512), ("reason", u32), ("vector", ctypes.c_int), ("error", u64), ("interrupts_were_on", ctypes.c_bool), ("pvalidates", u32)]


class GuestSide:
    """The library. Pages are numbered from the start of its memory."""

    def __init__(self, folder):
        path = folder / "guestside.so"
        try:
            guestbuild.library(path)
        except subprocess.CalledProcessError as e:
            raise AssertionError(f"the guest side does not compile: {e}") from e
        self.lib = ctypes.CDLL(str(path))
        self.lib.device_bytes.restype = ctypes.POINTER(ctypes.c_uint8)
        self.state = State.in_dll(self.lib, "machine")
        self.restart()

    def restart(self):
        """Everything as at the start: memory private, mapped read-write, but for CODE and MMIO."""
        self.lib.machine_start()
        self.base = u64.in_dll(self.lib, "arena").value
        self.lib.page_set(CODE, R | W | X)
        self.lib.page_set(MMIO, DEVICE)

    def address(self, page, offset=0):
        return self.base + page * PAGE + offset

    def write(self, page, data, offset=0):
        ctypes.memmove(self.address(page, offset), bytes(data), len(data))

    def read(self, page, length, offset=0):
        return ctypes.string_at(self.address(page, offset), length)

    def device(self, page, data=None, length=16):
        """Registers of a device: set them, or return them."""
        if data is not None:
            ctypes.memmove(self.lib.device_bytes(page), bytes(data), len(data))
        return ctypes.string_at(self.lib.device_bytes(page), length)

    def vc(self, code, error, at=None, **registers):
        """Raise #VC at an instruction. Returns (how it ended, frame)."""
        at = self.address(CODE) if at is None else at
        ctypes.memmove(at, bytes(code), len(code))
        frame = Frame(vector=29, error=error, rip=at, cs=8, rflags=2, ss=16, **registers)
        how = self.lib.machine_vc(ctypes.byref(frame))
        frame.done = frame.rip - at
        return how, frame

    def call(self, name, a, b):
        """Call one of the functions on pages. Returns (how it ended, its result)."""
        result = ctypes.c_int(-1)
        how = self.lib.machine_call(ctypes.cast(getattr(self.lib, name), ctypes.c_void_p), u64(a), u64(b), ctypes.byref(result))
        return how, result.value

    def log(self):
        return list(self.state.log[: self.state.exits])

    def text(self):
        return self.state.text.decode()
