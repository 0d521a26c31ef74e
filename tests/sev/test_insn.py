"""The decoder of the #VC handler (boot/vc_insn.c) against objdump, and against bytes that are no such instruction."""

import ctypes
import itertools
import pathlib
import random
import re
import subprocess

import pytest

BOOT = pathlib.Path(__file__).resolve().parents[2] / "boot"
OPS = ["OTHER", "CPUID", "RDMSR", "WRMSR", "RDTSC", "RDTSCP", "RDPMC", "INVD", "WBINVD", "VMMCALL", "MONITOR", "MWAIT", "READ_DR7", "WRITE_DR7",
       "IN", "OUT", "INS", "OUTS", "LOAD", "STORE", "STORE_IMM", "LOAD_XMM", "STORE_XMM", "STOS", "MOVS"]
CODES = {0x27: {"READ_DR7"}, 0x37: {"WRITE_DR7"}, 0x6E: {"RDTSC"}, 0x6F: {"RDPMC"}, 0x72: {"CPUID"}, 0x76: {"INVD"}, 0x7B: {"IN", "OUT", "INS", "OUTS"},
         0x7C: {"RDMSR", "WRMSR"}, 0x81: {"VMMCALL"}, 0x87: {"RDTSCP"}, 0x89: {"WBINVD"}, 0x8A: {"MONITOR"}, 0x8B: {"MWAIT"},
         0x400: {"LOAD", "STORE", "STORE_IMM", "LOAD_XMM", "STORE_XMM", "STOS", "MOVS"}}
REGISTERS = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{i}" for i in range(8, 16))]
BY_NAME = {name: (i, 8) for i, name in enumerate(REGISTERS)}
BY_NAME |= {name: (i, 4) for i, name in enumerate(["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", *(f"r{i}d" for i in range(8, 16))])}
BY_NAME |= {name: (i, 2) for i, name in enumerate(["ax", "cx", "dx", "bx", "sp", "bp", "si", "di", *(f"r{i}w" for i in range(8, 16))])}
BY_NAME |= {name: (i, 1) for i, name in enumerate(["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", *(f"r{i}b" for i in range(8, 16))])}
HIGH = {"ah": 4, "ch": 5, "dh": 6, "bh": 7}
NONE, RIP = 16, 17
FS, GS = 4, 5


class Insn(ctypes.Structure):
    """insn_t."""

    _fields_ = [("op", ctypes.c_int), *((n, ctypes.c_uint8) for n in ("len", "size", "width", "reg", "base", "index", "scale", "segment")),
                *((n, ctypes.c_bool) for n in ("high", "sign", "rep", "address32", "by_dx")), ("imm", ctypes.c_uint64), ("displacement", ctypes.c_int64)]

    def name(self):
        return OPS[self.op]


@pytest.fixture(scope="module")
def lib(tmp_path_factory):
    out = tmp_path_factory.mktemp("insn") / "insn.so"
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", BOOT / "vc_insn.c", "-o", out], check=True)
    lib = ctypes.CDLL(str(out))
    lib.insn_decode.restype = Insn
    lib.insn_decode.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    lib.insn_raises.restype = ctypes.c_bool
    lib.insn_raises.argtypes = [ctypes.POINTER(Insn), ctypes.c_uint64]
    return lib


def decode(lib, code):
    return lib.insn_decode(bytes(code), len(code))


def disassemble(samples, folder):
    """Yield (length, text) of what objdump finds at the start of each sample; a symbol at each keeps it in step."""
    source = folder / "samples.s"
    lines = [f"s{i}: .byte {','.join(map(str, s))}" for i, s in enumerate(samples)]
    source.write_text("\n".join([".text", *lines, ""]))
    made = folder / "samples.o"
    subprocess.run(["as", "--64", source, "-o", made], check=True)
    text = subprocess.run(["objdump", "-d", "-w", "--insn-width=16", made], check=True, capture_output=True, text=True).stdout
    for block in re.split(r"\n[0-9a-f]+ <s\d+>:\n", text)[1:]:
        raw, _, what = block.split("\n", 1)[0].partition(":\t")[2].partition("\t")
        yield len(raw.split()), what.split("#")[0].split("<")[0].strip()


# ---- what objdump says, in our terms -------------------------------------------------------------------------------------
PLAIN = {"cpuid": "CPUID", "rdmsr": "RDMSR", "wrmsr": "WRMSR", "rdtsc": "RDTSC", "rdtscp": "RDTSCP", "rdpmc": "RDPMC", "invd": "INVD", "wbinvd": "WBINVD",
         "wbnoinvd": "WBINVD", "vmmcall": "VMMCALL", "monitor": "MONITOR", "monitorx": "MONITOR", "mwait": "MWAIT", "mwaitx": "MWAIT"}
XMM = {"movups", "movupd", "movaps", "movapd", "movdqa", "movdqu", "movntdq", "movntps", "movntpd"}
EXTENDING = re.compile(r"mov([sz])([bwl])([wlq])|movs(l)q|movs(w|l)d?")


def words(text):
    """Return (mnemonic, operands) without prefixes that objdump spells out."""
    parts = text.split(None, 1)
    while parts and re.fullmatch(r"rep|repz|repnz|data16|addr32|[c-gs]s|rex(\.[WRXB]*)?|bnd|xacquire|xrelease", parts[0]):
        parts = parts[1].split(None, 1) if len(parts) > 1 else []
    return (parts[0], parts[1].strip() if len(parts) > 1 else "") if parts else ("", "")


def operation(text):
    """Return the name of our operation for a line of objdump's."""
    mnemonic, operands = words(text)
    if mnemonic in PLAIN:
        return PLAIN[mnemonic]
    if re.fullmatch("ins[bwl]?", mnemonic):
        return "INS"
    if re.fullmatch("outs[bwl]?", mnemonic):
        return "OUTS"
    if mnemonic in ("in", "out"):
        return mnemonic.upper()
    if "%db7" in operands:
        return "READ_DR7" if operands.startswith("%db") else "WRITE_DR7"
    memory = "(" in operands or re.search(r"(^|,|:)-?0x[0-9a-f]+(,|$)", operands)
    if re.fullmatch("stos[bwlq]?", mnemonic):
        return "STOS"
    if re.fullmatch("movs[bwlq]?", mnemonic) and "%es:" in operands and "%ds:" in operands or re.fullmatch("movs[bwlq]?", mnemonic) and "%es:(%" in operands:
        return "MOVS"
    if not memory:
        return "OTHER"
    if mnemonic in XMM:
        return "LOAD_XMM" if re.search(r",%xmm\d+$", operands) else "STORE_XMM"
    if mnemonic == "movnti":
        return "STORE"
    if re.fullmatch(r"mov(abs)?[bwlq]?", mnemonic) and not re.search(r"%([c-gs]s|[cd][rb]\d+|m?xmm\d+|mm\d)(,|$)", operands):
        return "STORE_IMM" if operands.startswith("$") else "LOAD" if re.search(r",%\w+$", operands) else "STORE"
    if re.fullmatch(r"movz[bwl][wlq]?|movs[bwl][wlq]|movslq|movsxd", mnemonic):
        return "LOAD"
    return "OTHER"


def check_memory(insn, operands):
    """Compare the operand in memory with objdump's text of it."""
    m = re.search(r"(?:%([c-gs]s):)?(-?0x[0-9a-f]+)?(\((?:%(\w+))?(?:,%(\w+),(\d))?\))?", re.sub(r"^\$[^,]*,|%[\w]+,(?=[^)]*(\(|$))(?![^(]*\))|(?<=\)),%\w+$", "", operands))
    segment, displacement, _, base, index, scale = m.groups()
    assert insn.segment == {"fs": FS, "gs": GS}.get(segment, 3), operands
    got = insn.displacement
    wanted = int(displacement or "0", 16)
    assert (got - wanted) % 2**64 == 0 or (insn.address32 and (got - wanted) % 2**32 == 0), operands
    numbers = {None: NONE, "rip": RIP, "eip": RIP, "riz": NONE, "eiz": NONE}
    assert insn.base == numbers.get(base, BY_NAME.get(base, (NONE,))[0]), operands
    assert insn.index == numbers.get(index, BY_NAME.get(index, (NONE,))[0]), operands
    assert insn.index == NONE or insn.scale == int(scale), operands


def check_register(insn, operands):
    """Compare the register of a move with objdump's."""
    name = re.search(r"%(\w+)$" if insn.name() in ("LOAD", "LOAD_XMM") else r"^%(\w+)", operands)[1]
    if name.startswith("xmm"):
        assert (insn.reg, insn.size) == (int(name[3:]), 16), operands
    elif name in HIGH:
        assert insn.high and insn.reg == HIGH[name], operands
    else:
        number, width = BY_NAME[name]
        assert not insn.high and insn.reg == number, operands
        assert width == (insn.width if insn.name() == "LOAD" else insn.size), operands


def check_fields(insn, text):
    mnemonic, operands = words(text)
    if insn.name() in ("LOAD", "STORE", "LOAD_XMM", "STORE_XMM"):
        check_memory(insn, operands)
        check_register(insn, operands)
    elif insn.name() == "STORE_IMM":
        check_memory(insn, operands)
        assert insn.imm % 256**insn.size == int(re.match(r"\$(-?0x[0-9a-f]+)", operands)[1], 16) % 256**insn.size, text
        assert insn.size == {"b": 1, "w": 2, "l": 4, "q": 8}[mnemonic[-1]], text
    elif insn.name() in ("IN", "OUT"):
        registers = re.findall(r"%(\w+)", operands)
        assert insn.by_dx == ("(%dx)" in operands), text
        accumulator = [r for r in registers if r in ("al", "ax", "eax")]
        assert BY_NAME[accumulator[0]] == (0, insn.size), text
        assert insn.by_dx or insn.imm == int(re.search(r"\$(0x[0-9a-f]+)", operands)[1], 16), text
    elif insn.name() in ("INS", "OUTS", "STOS", "MOVS"):
        assert insn.rep == bool(re.match(r".*\b(rep|repz|repnz)\b", text)), text
        assert insn.address32 == bool(re.search(r"%e[sd]i", operands)), text


# ---- samples ---------------------------------------------------------------------------------------------------------------
OPCODES = [b"\x0f\xa2", b"\x0f\x32", b"\x0f\x30", b"\x0f\x31", b"\x0f\x33", b"\x0f\x08", b"\x0f\x09", b"\x0f\x01", b"\x0f\x21", b"\x0f\x23",
           *(bytes([15, 1, b]) for b in (0xC8, 0xC9, 0xD9, 0xF9, 0xFA, 0xFB)),
           *(bytes([b]) for b in (0x63, 0x6C, 0x6D, 0x6E, 0x6F, *range(0x88, 0x8C), *range(0xA0, 0xA6), 0xAA, 0xAB, 0xC6, 0xC7, *range(0xE4, 0xE8), *range(0xEC, 0xF0))),
           *(bytes([15, b]) for b in (0xB6, 0xB7, 0xBE, 0xBF, 0xC3, 0x10, 0x11, 0x28, 0x29, 0x2B, 0x6F, 0x7F, 0xE7))]
PREFIXES = [b"", b"\x66", b"\x67", b"\xf3", b"\xf2", b"\x64", b"\x65", b"\x66\x67", b"\x66\xf3", b"\x67\xf3", b"\x64\x67"]
REX = [b"", b"\x40", b"\x41", b"\x44", b"\x48", b"\x49", b"\x4c", b"\x4f"]


def samples(seed, count):
    rng = random.Random(seed)
    for prefix, rex, opcode in itertools.product(PREFIXES, REX, OPCODES):
        for _ in range(count):
            yield (prefix + rex + opcode + rng.randbytes(15))[:15]


def unusual(code, text):
    """Is that a spelling about which objdump and processors differ, or that objdump takes for two instructions?"""
    group = re.match(rb"[\x64\x65\x67]*[\x66\xf2\xf3][\x64-\x67\xf2\xf3]*[\x40-\x4f]?\x0f\x01", code)
    return "(bad)" in text or words(text)[0] == "" or group or (code[:1] in (b"\x66",) and b"\x48" <= code[1:2] <= b"\x4f") or (code[:2] == b"\x66\xf3")


def test_against_objdump(lib, tmp_path):
    codes = list(samples(1, 6))
    compared = {name: 0 for name in OPS}
    for code, (length, text) in zip(codes, disassemble(codes, tmp_path), strict=True):
        if unusual(code, text):
            continue
        insn = decode(lib, code)
        wanted = operation(text)
        assert insn.name() == wanted, (code.hex(), text)
        assert insn.len == (length if wanted != "OTHER" else 0), (code.hex(), text)
        check_fields(insn, text)
        compared[wanted] += 1
    assert all(n > 10 for n in compared.values()), compared


def test_noise_against_objdump(lib, tmp_path):
    """Whatever bytes: nothing is taken for one of these instructions that is none."""
    rng = random.Random(2)
    codes = [rng.randbytes(15) for _ in range(20000)]
    for code, (length, text) in zip(codes, disassemble(codes, tmp_path), strict=True):
        insn = decode(lib, code)
        if insn.name() != "OTHER" and not unusual(code, text):
            assert (insn.name(), insn.len) == (operation(text), length), (code.hex(), text)


def test_short_of_bytes(lib):
    """An instruction of which the last byte cannot be read is none, and no byte behind the last is looked at."""
    for code in samples(3, 1):
        whole = decode(lib, code)
        for n in range(whole.len):
            assert decode(lib, code[:n]).name() == "OTHER", code.hex()


@pytest.mark.parametrize("code", [
    "f0 0fa2", "f3 0f01d9", "f2 0f01d9", "66 0f01d9", "f3 0f01fa", "f2 0f01ff", "f3 0f01fe", "0f01c1", "0f01d8", "0f21c0", "0f2300", "44 0f21f8", "8bc0", "89c0", "c6c000",
    "c70800000000", "c7f800000000", "0fb6c0", "0fc3c0", "0f10c0", "0f6f00", "f20f6f00", "f30f1000", "0fe700", "f30fe700", "64 65 8b00", "64 3e 8b00", "90", "cc", "0f05",
    "c3", "", "66", "48", "0f", "f30f", "66" * 15, "48" * 15, "2e" * 14 + "0fa2", "8b", "8b04", "8b0425000000", "a100000000000000", "c70000000000"[:10]])
def test_must_not_decode(lib, code):
    assert decode(lib, bytes.fromhex(code.replace(" ", ""))).name() == "OTHER"


def test_only_its_own_code(lib):
    """Every operation fits the codes of the table and no other number: a WeSee attack raises #VC at an instruction of its choice."""
    numbers = [*range(0, 0x500), 0x80000001, 0xFFFFFFFF, 2**63, *(code + 2**32 for code in CODES)]
    for op, name in enumerate(OPS):
        insn = Insn(op=op)
        fits = {n for n in numbers if lib.insn_raises(ctypes.byref(insn), n)}
        assert fits == {code for code, names in CODES.items() if name in names}, name
