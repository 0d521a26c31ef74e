"""Fake of the C module efi; tests/fakes/firmware.py puts tables behind it."""

OFF, COLD, WARM, HALT = 0, 1, 2, 3

functions = {}  # address -> function(*args) -> status
state = {"system_table": 0, "runtime_services": 0, "alive": False, "rsdp": 0, "smbios": 0}
resets = []  # kinds that reset() was given


class Reset(Exception):
    """reset() does not come back; in tests it raises this."""


def call(fn, *args):
    if fn not in functions:
        raise OSError(14)
    return functions[fn](*args)


def system_table():
    return state["system_table"]


def runtime_services():
    return state["runtime_services"]


def image_handle():
    return 0x1234


def boot_services():
    return state["alive"]


def exit_boot_services():
    if not state["alive"]:
        raise OSError(1)
    state["alive"] = False


def rsdp():
    return state["rsdp"]


def smbios():
    return state["smbios"]


def option(key):
    return None


def options():
    return ()


def load_options():
    return ""


def reset(kind):
    resets.append(kind)
    raise Reset("reset %d" % kind)
