# Every module that a MicroPython user expects of a big port is there, and those that name the system say who it is.
import platform, sys

for name in ("array", "asyncio", "binascii", "builtins", "cmath", "collections", "deflate", "errno", "framebuf", "gc", "hashlib",
             "heapq", "io", "json", "machine", "marshal", "math", "micropython", "os", "platform", "random", "re", "select", "struct",
             "sys", "time", "uctypes", "vfs", "cpu", "mem", "efi", "clock", "_repl", "_frames"):
    try:
        __import__(name)
    except ImportError:
        print("missing", name)
print(sys.platform, sys.implementation.name, sys.implementation.version, sys.byteorder, sys.maxsize == (1 << 63) - 1)
print(sys.version.startswith("3.4.0; MicroPython v1.25.0"), sys.version_info[:2], sys.path, sys.argv)
print(sys.implementation._machine, sys.implementation._mpy & 0xFF)
print(platform.platform().startswith("MicroPython-1.25.0-x86_64-UEFI"), platform.python_compiler().startswith("GCC"), platform.libc_ver())
import os

print(os.uname().sysname, os.uname().release, os.uname().machine)
