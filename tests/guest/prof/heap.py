# _prof.heap() counts what the heap holds, by type and size, and what objects own as theirs; it leaves the heap as it was.
import gc

import _prof


class Named:
    def __init__(self):
        self.x = 1


def bytes_of(name, data):
    return sum([row[4] for row in _prof.heap() if row[0] == name and row[1] == data])


def count_of(name, data):
    return sum([row[3] for row in _prof.heap() if row[0] == name and row[1] == data])


def more(make, name, data=False):
    """-> how many there are more of a kind while what make() makes is kept, and bytes of each."""
    gc.collect()
    count, size = count_of(name, data), bytes_of(name, data)
    kept = make()
    gc.collect()
    added = count_of(name, data) - count
    return added // 100 * 100, (bytes_of(name, data) - size) // max(added, 1)


print(more(lambda: [Named() for _ in range(1000)], "Named"))
print(more(lambda: [Named() for _ in range(1000)], "Named", True))
print(more(lambda: [[i] * 8 for i in range(1000)], "list"))
print(more(lambda: [[i] * 8 for i in range(1000)], "list", True))
print(more(lambda: ["x" * 40 + str(i) for i in range(1000)], "str"))
print(more(lambda: ["x" * 40 + str(i) for i in range(1000)], "str", True))
print(more(lambda: [bytearray(100) for _ in range(1000)], "bytearray", True))
print(more(lambda: [{i: i, str(i): i} for i in range(1000)], "dict", True))
print(more(lambda: [set((i, i + 1)) for i in range(1000)], "set", True))
print(more(lambda: [1 << 100 + i % 2 for i in range(1000)], "int", True))
print(more(lambda: [(i, i, i) for i in range(1000)], "tuple"))
print(more(lambda: [float(i) for i in range(1000)], "float"))
print(more(lambda: [lambda: i for i in range(1000)], "function"))
print(more(lambda: [(lambda i: (yield))(i) for i in range(1000)], "generator"))

# Every block is counted once; the sum is what is allocated, but for what the walk's own answer needs.
allocated = gc.mem_alloc()
rows = _prof.heap()
print(abs(sum([row[4] for row in rows]) - allocated) < 4096, all([row[3] > 0 and row[4] >= row[3] * row[2] for row in rows]))
large = bytearray(5_000_000)
print([(size, count) for name, data, size, count, _ in _prof.heap() if name == "bytearray" and data and size > 1_000_000])

# Marks are gone: nothing that is reachable is freed, all else is.
kept = [Named() for _ in range(100)]
del large
for _ in range(3):
    _prof.heap()
    gc.collect()
print(sum([n.x for n in kept]), [row for row in _prof.heap() if row[2] > 1_000_000])

# More kinds than there is room for.
classes = [type("T%d" % i, (), {}) for i in range(2000)]
many = [c() for c in classes]
allocated = gc.mem_alloc()
rows = _prof.heap()
others = [row for row in rows if row[0] == "(others)"]
print(len(rows), others[0][3] > 900, abs(sum([row[4] for row in rows]) - allocated) < 4096)
