# Files of many megabytes: content survives in order, memory comes back, a full file system says ENOSPC.
import errno, gc, hashlib, mem, os

MB = 1 << 20
gc.collect()
free = mem.info()[2]
block = bytes(range(256)) * 256
digest = hashlib.sha256()
with open("/big", "wb") as f:
    for i in range(20 * MB // len(block)):
        digest.update(block)
        f.write(block)
print(os.stat("/big")[6] == 20 * MB, free - mem.info()[2] >= 20 * MB)
with open("/big", "r+b") as f:
    again = hashlib.sha256()
    buffer = bytearray(100003)
    n = f.readinto(buffer)
    while n:
        again.update(memoryview(buffer)[:n])
        n = f.readinto(buffer)
    print(again.digest() == digest.digest())
    f.seek(10 * MB + 5)
    f.write(b"needle")
    f.seek(10 * MB + 4)
    print(f.read(8))
os.remove("/big")
gc.collect()
print(abs(mem.info()[2] - free) < 8 * MB)
size = os.statvfs("/")
print(size[2] >= size[3] > 0, size[0] == 4096, size[9] >= 255)
written = 0
f = open("/full", "wb")
try:
    while written < 1 << 30:
        written += f.write(block)
except OSError as e:
    print(errno.errorcode.get(e.errno, e.errno), written > 60 * MB)
f.close()
print(os.stat("/full")[6] == written, sum(range(100)), os.statvfs("/")[3] * 4096 < len(block) + 65536)
os.remove("/full")
print(os.statvfs("/")[3] * 4096 > 60 * MB)
