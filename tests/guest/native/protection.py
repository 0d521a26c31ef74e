# Native code lies in pages of its own that nobody can write to, and code of thousands of functions fits.
import gc, mem, struct

SOURCE = "@micropython.native\ndef f(a):\n return a + %d\n"


def compiled(i):
    names = {"micropython": __import__("micropython")}
    exec(SOURCE % i, names)
    return names["f"]


functions = [compiled(i) for i in range(3000)]
gc.collect()
print(all(functions[i](1) == i + 1 for i in range(3000)))
# A native function object holds its machine code's address; find executable memory outside of the image among its words.
base, size = mem.image()
words = struct.unpack("<8Q", mem.view(id(functions[7]), 64))
code = [w for w in words if not base <= w < base + size and (mem.attr(w) or "---")[2] == "x"]
print(len(code), mem.attr(code[0]))
try:
    mem.w8(code[0], 0xCC)
    print("written")
except OSError as e:
    print(repr(e))
print(functions[7](1))
