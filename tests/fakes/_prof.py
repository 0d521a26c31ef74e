"""Fake of the C module _prof: samples and a heap that a test has put there."""

state = {"running": False, "hz": 0, "freed": 0}
found = []  # (count, leaf, places)
rows = []  # (name, data, size, count, bytes)


def start(hz=100, size=0):
    if state["running"]:
        raise OSError(16)
    state["running"] = True
    state["hz"] = hz


def stop():
    state["running"] = False


def free():
    stop()
    state["freed"] += 1


def running():
    return state["running"]


def counts():
    return sum([count for count, _, _ in found]) + 2, 7, 2, 1500000000


def samples():
    assert not state["running"]
    return iter(found)


def symbol(addr):
    return ("mp_load_name", addr - 0x201000) if 0x201000 <= addr < 0x202000 else None


def sites_start(rate):
    state["sites"] = rate


def sites_stop():
    state["sites"] = 0
    return 64


def sites_free():
    state["freed"] += 1


def sites_running():
    return bool(state.get("sites"))


def sites():
    assert not sites_running()
    return iter(allocated)


allocated = []  # (bytes, live bytes, size, places)


def heap():
    return rows
