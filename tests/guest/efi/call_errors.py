# efi.call refuses what is no code, survives a function that faults, and checks its arguments.
import efi, mem


def show(function, *args):
    try:
        print(function(*args))
    except Exception as e:
        print(repr(e))


CRASH = 1 << 46  # not mapped
GET_TIME = mem.r64(efi.runtime_services() + 24)
show(efi.call, 0)
show(efi.call, CRASH)
show(efi.call, mem.image()[0])
show(efi.call, id([]))
show(efi.call, -1)
show(efi.call, "x")
show(efi.call)
show(efi.call, GET_TIME, *range(9))
show(efi.call, GET_TIME, 1.5)
for _ in range(3):
    show(efi.call, GET_TIME, CRASH, None)  # the firmware writes to where nothing is
show(efi.reset, 4)
show(efi.reset, -1)
show(efi.reset, "off")
show(efi.option, 1)
show(efi.option, "")
show(efi.exit_boot_services)  # already done: nothing
print(efi.call(GET_TIME, bytearray(16), None))
