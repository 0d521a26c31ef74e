# Every mode of open(): what it creates, truncates, appends to, reads and refuses; text and bytes.
import os


def show(function, *args):
    try:
        print(function(*args))
    except Exception as e:
        print(repr(e))


def wrote(mode, data):
    with open("/m", mode) as f:
        f.write(data)
    with open("/m", "rb") as f:
        return f.read()


print(wrote("w", "one\ntwo\n"), wrote("a", "three"), wrote("r+", "ONE"), wrote("w", "x"), wrote("wb", b"\x00\xff"), wrote("ab", b"\r\n"))
with open("/m", "w+") as f:
    print(f.write("héllo\nwörld\n"), f.seek(0), f.readline(), f.read(2), f.tell(), f.seek(-3, 2), f.read(), f.seek(0, 1) == f.tell())
with open("/m", "a+") as f:
    f.seek(0)
    print(f.read(3), f.write("!"), f.tell())
with open("/m", "r+b") as f:
    f.seek(20)
    f.write(b"after a gap")
print(open("/m", "rb").read())
with open("/m") as f:
    print([line for line in f][:2], f.read(), f.readline())
    show(f.write, "x")
with open("/m", "w") as f:
    show(f.read)
show(f.read)
show(f.write, "x")
f.close()
os.remove("/m")
for mode in ("r", "rb", "r+", "x", "x", "rw", "z", "wa", "", "r+b"):
    show(lambda: open("/m", mode).read())
show(open, "/", "r")
show(open, "/", "w")
show(open, "/nothing/m", "w")
show(open, "/m/m", "w")
show(open, 1.5)
os.remove("/m")
