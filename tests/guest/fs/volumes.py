# Other file systems mount beside ours: FAT and LittleFS on a block device in memory.
import os, vfs


class RAMDisk:
    SIZE, COUNT = 512, 256

    def __init__(self):
        self.data = bytearray(self.SIZE * self.COUNT)

    def readblocks(self, block, buffer, offset=0):
        start = block * self.SIZE + offset
        buffer[:] = self.data[start : start + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        start = block * self.SIZE + offset
        self.data[start : start + len(buffer)] = buffer

    def ioctl(self, op, arg):
        return {4: self.COUNT, 5: self.SIZE, 6: 0}.get(op)


for name in ("VfsFat", "VfsLfs2"):
    kind = getattr(vfs, name, None)
    if kind is None:
        print(name, "is not built in")
        continue
    disk = RAMDisk()
    kind.mkfs(disk)
    vfs.mount(kind(disk), "/disk")
    with open("/disk/file", "w") as f:
        f.write(name)
    os.mkdir("/disk/folder")
    print(os.listdir("/disk"), open("/disk/file").read(), "disk" in os.listdir("/"))
    try:
        os.rename("/disk/file", "/elsewhere")
    except OSError as e:
        print(repr(e))
    vfs.umount("/disk")
    vfs.mount(kind(disk), "/again", readonly=True)
    print(open("/again/file").read())
    vfs.umount("/again")
