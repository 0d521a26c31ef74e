# Every soft reset gives the native code's memory back: this script starts in a fresh interpreter, as all do.
import mem

free = mem.info()[2]
try:
    with open("/native-free") as f:
        before = int(f.read())
except OSError:
    before = free
with open("/native-free", "w") as f:
    f.write(str(free))
exec("import micropython\n" + "".join(["@micropython.native\ndef f%d(a): return a\n" % i for i in range(2000)]))
print(f1999(5), mem.info()[2] < free, before - free < 1 << 20)
