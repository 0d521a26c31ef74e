# A path with a NUL in it is refused wherever a path is taken, and so is the name of a module: none is cut short.
import os, vfs


class Disk:
    def __init__(self):
        self.data = bytearray(512 * 256)

    def readblocks(self, block, buffer):
        buffer[:] = self.data[block * 512 : block * 512 + len(buffer)]

    def writeblocks(self, block, buffer):
        self.data[block * 512 : block * 512 + len(buffer)] = buffer

    def ioctl(self, op, arg):
        return {4: 256, 5: 512, 6: 0}.get(op)


def refused(name, function, *args):
    try:
        print(name, args, function(*args))
    except ValueError as e:
        return str(e)


def check(name, function, *args):
    for path in ("/nul.py\0b", "nul.py\0", b"/nul.py\0b", "\0", "/\0", "/nul\0/x"):
        if refused(name, function, path, *args) != "embedded null character":
            print(name, repr(path), "not refused")


with open("/nul.py", "w") as f:
    f.write("print('imported')")
before = os.listdir("/")
fat = Disk()
vfs.VfsFat.mkfs(fat)
fat = vfs.VfsFat(fat)
vfs.mount(fat, "/fat")
for name in ("stat", "statvfs", "listdir", "ilistdir", "mkdir", "remove", "rmdir", "unlink", "chdir"):
    check(name, getattr(os, name))
check("rename", os.rename, "/other")
check("rename to", lambda path: os.rename("/nul.py", path))
check("open", open)
check("write", open, "w")
check("mode", lambda mode: open("/nul.py", "r\0"))
check("mount", lambda path: vfs.mount(fat, path))
for name in ("open", "stat", "mkdir", "remove"):
    check("fat " + name, getattr(fat, name), *(("w",) if name == "open" else ()))
check("import", __import__)
print(refused("import", __import__, "nul\0x"), refused("execfile", execfile, "/nul.py\0"))
vfs.umount("/fat")
print(os.listdir("/") == before, os.getcwd())
os.remove("/nul.py")
