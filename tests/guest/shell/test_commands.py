"""Every command of the shell, as a user types it: right, wrong, missing and surplus arguments."""

import ast
import datetime
import hashlib
import pathlib
import re

import pytest

import pyprompt
import rawrepl

COMMANDS = pathlib.Path(__file__).resolve().parents[3] / "shell" / "commands"


def declared():
    """Return [(names, syntax, help)] of every command in the source."""
    found = []
    for path in COMMANDS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "command":
                found.append(tuple(ast.literal_eval(a) for a in node.args[:3]))
    return sorted(found)


def values(text):
    """Return {label: value} of `label ....: value` lines."""
    return dict(re.findall(r"^(\S.*?) ?\.*: (.*)$", text, re.M))


def test_help(vm):
    """The help is the commands' declarations, one line each, in columns, without options."""
    lines = vm.command("help").rstrip("\n").splitlines()
    assert [re.sub(r"\s+", " ", line) for line in lines] == [" ".join(f"{n} {s} # {h}".split()) for n, s, h in declared()]
    assert len({line.index("# ") for line in lines}) == 1


@pytest.mark.parametrize("line, error", [
    ("nosuch", "unknown command `nosuch`, type `help`"),
    ("HELP", "unknown command `HELP`, type `help`"),
    ("x" * 300, "unknown command `" + "x" * 40 + "…`, type `help`"),
    ("help me", "unexpected argument `me`, usage: help"),
    ("info 1 2", "unexpected argument `1`, usage: info"),
    ("cpuid", "missing argument <leaf>, usage: cpuid <leaf> <subleaf>"),
    ("cpuid 1", "missing argument <subleaf>, usage: cpuid <leaf> <subleaf>"),
    ("cpuid x 0", "invalid <leaf> `x`, not a hexadecimal number, usage: cpuid <leaf> <subleaf>"),
    ("cpuid 100000000 0", "invalid <leaf> `100000000`, more than 32 bits, usage: cpuid <leaf> <subleaf>"),
    ("cpuid 0 0 0", "unexpected argument `0`, usage: cpuid <leaf> <subleaf>"),
    ("msr", "missing argument <hex addr>, usage: msr <hex addr>"),
    ("msr -1", "invalid <hex addr> `-1`, not a hexadecimal number, usage: msr <hex addr>"),
    ("msr 100000000", "no such MSR, more than 32 bits"),
    ("peek 1000", "missing argument <size>, usage: peek <hex addr> <size>"),
    ("peek 1000 0", "invalid <size> `0`, must be at least 1, usage: peek <hex addr> <size>"),
    ("peek 1000 ten", "invalid <size> `ten`, not a number of bytes, usage: peek <hex addr> <size>"),
    ("peek 0 16", "address 0x0 is not mapped"),
    ("peek fff 2", "address 0xfff is not mapped"),
    ("peek 400000000000 1", "address 0x400000000000 is not mapped"),
    ("peek ffffffffffffffff 2", "beyond the last address"),
    ("peek ffffffffffffffff 1", "address 0xffffffffffffffff is not mapped"),
    ("peek 8000000000000000 16", "address 0x8000000000000000 is not mapped"),
    ("peek 1000 99999999", "size must be at most 1048576"),
    ("poke 1000", "missing argument <hex value>, usage: poke <hex addr> <hex value>"),
    ("poke 0 1", "address 0x0 is not mapped or not writable"),
    ("poke 1001 1234", "2 bytes need an address that is a multiple of 2"),
    ("poke 1000 11112222333344445", "invalid <hex value> `11112222333344445`, more than 64 bits, usage: poke <hex addr> <hex value>"),
    ("date tomorrow", "invalid <RFC3339|ntp> `tomorrow`, not like 2006-01-02T15:04:05Z, usage: date (RFC3339|ntp)? (<server>)?"),
    ("date 2026-02-29T00:00:00Z", "invalid <RFC3339|ntp> `2026-02-29T00:00:00Z`, no such date, usage: date (RFC3339|ntp)? (<server>)?"),
    ("reset tepid", "unknown argument `tepid`, expected (cold|warm), usage: reset (cold|warm)?"),
    ("efivar loud", "unknown argument `loud`, expected (verbose), usage: efivar (verbose)?"),
    ("cat", "missing argument <path>, usage: cat <path>"),
    ("cat /nosuch", "no such file or directory"),
    ("cat /EFI", "is a directory"),
    ("cat /", "is a directory"),
    ("stat nosuch/x", "no such file or directory"),
    ("ls /nosuch", "no such file or directory"),
    ("ls 'open", "missing closing quote '"),
    ("exit-boot-services", "boot services have been exited already"),
    ("exit now", "unexpected argument `now`, usage: exit"),
    ("halt now", "unexpected argument `now`, usage: halt"),
])
def test_error(vm, line, error):
    """One line says what is wrong, and the prompt is back."""
    assert vm.command(line).strip("\n") == f"command error, {error}"


@pytest.mark.parametrize("line", ["", "   ", " \x7f"])
def test_nothing(vm, line):
    vm.send(line + "\r")
    assert vm.wait_prompt(10).strip() == ""


def test_build(vm):
    shown = values(vm.command("build"))
    assert shown["MicroPython"] == "1.25.0" and "gcc" in shown["Compiler"].lower()
    assert datetime.datetime.fromisoformat(shown["Date"].replace("Z", "+00:00")).year >= 2024


def test_info(vm):
    shown = values(vm.command("info"))
    assert list(shown) == ["Runtime", "RAM", "Text", "Heap", "CPU", "Cores", "Frequency"]
    assert shown["Runtime"].startswith("v1.25.0") and shown["CPU"].startswith("AMD EPYC-Milan") and shown["Cores"] == "1"
    assert re.fullmatch(r"0x00000000-0x0fffffff \(25[56] MiB\)", shown["RAM"])
    start, end = (int(n, 16) for n in shown["Text"].split("-"))
    assert 100_000 < end - start < 2_000_000
    alloc, free = map(int, re.fullmatch(r"Alloc:(\d+) KiB Free:(\d+) KiB", shown["Heap"]).groups())
    assert 10 < alloc < 10_000 and free > 200_000
    assert 0.1 < float(shown["Frequency"].removesuffix(" GHz")) < 10


def test_cpuid(vm):
    head, numbers = vm.command("cpuid 0 0").splitlines()[:2]
    assert head.split() == ["EAX", "EBX", "ECX", "EDX"]
    _, b, c, d = (int(n, 16) for n in numbers.split())
    assert b"".join(n.to_bytes(4, "little") for n in (b, d, c)) == b"AuthenticAMD"
    assert vm.command("cpuid 0x80000001 0x0") == vm.command("cpuid 80000001 0")


def test_date(vm):
    text = vm.command("date").strip()
    assert abs(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - datetime.datetime.now(datetime.timezone.utc)) \
        < datetime.timedelta(seconds=120)
    assert vm.command("date 2030-12-31T23:59:59.5+01:00").strip() == "2030-12-31T22:59:59Z"
    assert re.fullmatch(r"2030-12-31T2[23]:(59:59|00:\d\d)Z", vm.command("date").strip())
    vm.command(f"date {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}")


def test_msr(vm):
    efer = int(vm.command("msr c0000080"), 16)
    assert efer & 0xd00 == 0xd00
    assert vm.command("msr 0xC0000080") == vm.command("msr c0000080")


def test_memory(vm):
    """What poke writes is what peek shows; code is readable and not writable."""
    start = vm.command("info").split("Text")[1].split("0x")[1][:8]
    before = vm.command(f"peek {start} 4")
    assert vm.command(f"poke {start} 00").strip() == f"command error, address 0x{start.lstrip('0')} is not mapped or not writable"
    assert vm.command(f"peek {start} 4") == before
    free = memory(vm)
    assert vm.command(f"poke {free:x} 00") == "" == vm.command(f"poke {free + 8:x} 4847464544434241")
    assert vm.command(f"poke {free + 4:x} 0x20") == ""
    assert vm.command(f"peek {free + 8:x} 8") == f"{free + 8:08x}  41 42 43 44 45 46 47 48{'':27}|ABCDEFGH|\n\n"
    lines = vm.command(f"peek {free:x} 4096", 60).rstrip("\n").splitlines()
    assert len(lines) == 256 and lines[0].startswith(f"{free:08x}  00 ") and lines[255].startswith(f"{free + 4080:08x}  ")


def memory(vm):
    """Return the address of a page that is nobody's until the next soft reset."""
    pyprompt.enter(vm)
    address = int(pyprompt.evaluate(vm, "import mem; print(hex(mem.dma(4096).addr))"), 16)
    pyprompt.leave(vm)
    return address


def test_lspci(vm):
    head, *rows = vm.command("lspci").strip().splitlines()
    assert head.split() == ["Bus", "Vendor", "Device", "Bar0", "Class"]
    assert rows[0].split(None, 4) == ["00:00.0", "8086", "29c0", "0x" + "0" * 16, "Host bridge"]
    assert any(row.split()[1:3] == ["1af4", "1001"] for row in rows)


def test_uefi(vm):
    shown = values(vm.command("uefi"))
    assert shown["UEFI Revision"] in ("2.70", "2.8", "2.10", "2.80") and "EDK II" in shown["Firmware Vendor"]
    assert shown["Mode"] == "bare" and shown["Boot Services"] == "exited"
    assert "ACPI 2.0" in vm.command("uefi")


def test_efivar(vm):
    names = vm.command("efivar").splitlines()
    assert any(line == "8be4df61-93ca-11d2-aa0d-00e098032b8c BootOrder" for line in names)
    verbose = vm.command("efivar verbose", 60)
    assert re.search(r"BootCurrent\n  attributes 0x6 \(boot-service runtime\), 2 bytes\n  0+  ", verbose)


def test_files(vm):
    """cat, ls and stat agree with one another and with what was written."""
    content = "".join(f"line {i} é\n" for i in range(1000))
    code = f"import os\nos.mkdir('/shown')\nwith open('/shown/a file', 'w') as f:\n for i in range(1000): f.write('line %d é\\n' % i)\n"
    assert rawrepl.run(vm, code + "open('/shown/esc', 'wb').write(b'\\x1b[2Jx\\n')\n") == ("", "")
    assert vm.command("cat '/shown/a file'", 60) == content + "\n"
    assert vm.command("cat \\shown\\esc") == "^[[2Jx\n\n"
    assert vm.command("ls /shown").split() == ["f", str(len(content.encode())), "a", "file", "f", "6", "esc"]
    shown = values(vm.command('stat "/shown/a file"'))
    assert shown["SHA-256"] == hashlib.sha256(content.encode()).hexdigest() and shown["Size"] == f"{len(content.encode())} bytes"
    assert values(vm.command("stat /shown"))["Type"] == "directory"
    assert "d              shown" in vm.command("ls")
    rawrepl.run(vm, "import os\nfor n in os.listdir('/shown'): os.remove('/shown/' + n)\nos.rmdir('/shown')\n")


def test_stack(vm):
    assert re.match(r'  File "shell/commands/system.py", line \d+, in stack\n  File "shell/session.py", ', vm.command("stack"))
    everything = vm.command("stackall")
    assert "(current)" in everything and "(waiting)" in everything and 'in read\n' in everything
    assert len(re.findall(r"^task 0x", everything, re.M)) >= 2


def test_uptime(vm):
    vm.command("uptime")
    assert re.fullmatch(r"((\d+ (day|hour|minute|second)s?) ?)+\n\n", vm.command("uptime"))
