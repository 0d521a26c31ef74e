# Objects live while they are reachable from frames, closures, generators and native code; finalisers run.
import gc, io, micropython, os


def generator():
    local = [object() for _ in range(100)]
    while True:
        gc.collect()
        yield len(local), [type(o) for o in local] == [object] * 100


@micropython.native
def native():
    local = [str(i) for i in range(1000)]
    gc.collect()
    garbage = [str(i) * 3 for i in range(5000)]
    return local == [str(i) for i in range(1000)]


g = generator()
print(next(g), next(g), native())
for i in range(50):  # 50 open files, dropped
    open("/lifetime", "w").write("x")
gc.collect()
os.remove("/lifetime")
made = {i: bytes([i & 255]) * (i % 500) for i in range(20000)}
gc.collect()
print(all(made[i] == bytes([i & 255]) * (i % 500) for i in range(0, 20000, 37)))
