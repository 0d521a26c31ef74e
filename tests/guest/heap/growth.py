# The heap grows over the free memory, and one collection gives it back when it is empty.
import gc, mem


def fill(count, size):
    blocks = [bytearray(size) for _ in range(count)]
    for i, block in enumerate(blocks):
        block[0] = block[-1] = i
    return all(b[0] == b[-1] == i for i, b in enumerate(blocks)), mem.info()[2]


def one(size):
    big = bytearray(size)  # one object, larger than all areas so far
    big[-1] = 7
    return len(big), big[-1], sum(big[:1000])


def many(count):
    return sum([s[0] for s in [[i] for i in range(count)]])


def free():
    gc.collect()
    return mem.info()[2]


before = free()
kept, least = fill(25, 4 << 20)
print(kept, before - least > 90 << 20, before - free() < 16 << 20)
print(one(100 << 20), before - free() < 16 << 20)
print(many(200000), before - free() < 32 << 20)
print(one(100 << 20))
