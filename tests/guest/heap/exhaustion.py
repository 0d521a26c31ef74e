# Running out of memory is a MemoryError, as often as one likes, and leaves a machine that works.
import gc, mem, os

try:
    bytearray(1 << 40)
    print("allocated")
except MemoryError:
    print("MemoryError at once")
for size in (1 << 25, 1 << 22):
    hoard = []
    try:
        while True:
            hoard.append(bytearray(size))
    except MemoryError:
        count = len(hoard)
        hoard = None
        gc.collect()
        print(size, count * size > 100 << 20)
        assert mem.info()[2] > 0
print(sum(range(10000)), len([0] * 100000))
with open("/after", "w") as f:
    f.write("fits again" * 100)
print(os.stat("/after")[6])
os.remove("/after")
