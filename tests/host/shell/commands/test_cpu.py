"""shell/commands/cpu.py: cpuid, info and msr."""

import cpu
import mem
from check import run, same
from talk import command


def test_cpuid():
    cpu.leaves[(0x1F, 0x10)] = (1, 0xFFFFFFFF, 0, 0xABC)
    same(command("cpuid 1f 10"), "EAX      EBX      ECX      EDX\n00000001 ffffffff 00000000 00000abc\n\n")
    same(command("cpuid 0x1F 0x10"), command("cpuid 1f 10"))
    assert command("cpuid 1").startswith("command error, missing argument <subleaf>")


def test_info():
    mem.reset()
    mem.memory_map.extend([(0, 0xFF000000, 16, 0), (7, 0x100000, 0x100, 0), (4, 0x0, 0xA0, 0), (7, 0x200000, 0x1FE00, 0)])
    lines = command("info").split("\n")
    labels = [line.split(":")[0] for line in lines if line]
    same(labels, ["%s %s" % (name, "." * (13 - len(name))) for name in ("Runtime", "RAM", "Text", "Heap", "CPU", "Cores", "Frequency")])
    same(lines[0], "Runtime ......: v1.25.0 micropython/x86_64")
    same(lines[1], "RAM ..........: 0x00000000-0x1fffffff (512 MiB)")
    assert "Alloc:" in lines[3] and "Free:" in lines[3]
    same(lines[4:7], ["CPU ..........: AMD EPYC-Milan Processor", "Cores ........: 4", "Frequency ....: 2.45 GHz"])


def test_info_without_brand():
    leaves, cpu.leaves = cpu.leaves, {}
    try:
        assert "CPU ..........: unknown\n" in command("info")
    finally:
        cpu.leaves = leaves


def test_msr():
    same(command("msr c0000080"), "d01\n\n")
    same(command("msr 12345"), "command error, no such MSR 0x12345 (#GP)\n")
    same(command("msr 100000000"), "command error, no such MSR, more than 32 bits\n")


run(globals())
