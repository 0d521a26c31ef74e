# Names are UTF-8 and case matters; what is no name of a file is refused or stays inside the file system.
import os

NAMES = ("grün", "日本語", "😀", "with space", "Case", "case", "-dash", "'quote\"", "back\\slash", "trailing.", "a" * 255, "\t", "é" * 100)
os.mkdir("/names")
for name in NAMES:
    with open("/names/" + name, "w") as f:
        f.write(name)
print(sorted(os.listdir("/names")) == sorted(NAMES))
print(all(open("/names/" + name).read() == name for name in NAMES))
for name in NAMES:
    os.remove("/names/" + name)
print(os.listdir("/names"), type(os.listdir(b"/names")))
open("/names//x/../y", "w").close()
print(os.listdir("/../../names"), os.stat("/names/./y")[6])
os.remove("/names/y")
os.rmdir("/names")
for name in ("", "/", "."):
    try:
        open(name, "w").close()
        print(repr(name), "created")
        os.remove(name)
    except (OSError, ValueError) as e:
        print(repr(name), repr(e))
