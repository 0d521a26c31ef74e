# Random numbers come from the machine's entropy, differ each time and each boot, and look random.
import os, random

blocks = {bytes(os.urandom(16)) for _ in range(1000)}
assert len(blocks) == 1000
data = os.urandom(100000)
ones = sum(bin(b).count("1") for b in data)
assert abs(ones - 400000) < 2600, ones  # standard deviation 447
counts = [0] * 256
for b in data:
    counts[b] += 1
assert min(counts) > 270 and max(counts) < 520, (min(counts), max(counts))  # 391, standard deviation 20
assert os.urandom(0) == b"" and len(os.urandom(1)) == 1
random.seed(1)
first = [random.getrandbits(30) for _ in range(5)]
random.seed(1)
assert first == [random.getrandbits(30) for _ in range(5)]
random.seed()
assert first != [random.getrandbits(30) for _ in range(5)]
assert all(3 <= random.randint(3, 5) <= 5 and 0 <= random.random() < 1 for _ in range(1000))
assert {random.choice("abc") for _ in range(200)} == set("abc")
for wrong in (-1, "x", 1.5):
    try:
        os.urandom(wrong)
        print("accepted", wrong)
    except (ValueError, TypeError, MemoryError, OverflowError):
        pass
print("ok")
