# No page of the firmware's memory map is writable and executable, but runtime code that the firmware left so.
import mem

RUNTIME_CODE, STEP = 5, 4096
TYPES = range(16)
i = checked = 0
while mem.map(i):
    kind, start, pages, attributes = mem.map(i)
    assert start % 4096 == 0 and pages > 0
    assert kind in TYPES or kind >= 0x70000000, kind
    for page in range(start, start + min(pages, 300) * STEP, STEP):
        attr = mem.attr(page)
        assert kind == RUNTIME_CODE or attr is None or attr[1:3] != "wx", (hex(page), kind, attr)
        checked += 1
    i += 1
assert i > 10 and checked > 1000, (i, checked)
total, owned, free, largest = mem.info()
assert 240 << 20 < total <= 256 << 20, total
assert largest <= free <= owned <= total
assert owned > 230 << 20, owned  # the firmware keeps little
print("ok")
