# Runtime services work under our page tables: GetTime agrees with the clock, variables are written and read back.
import clock, efi, mem, struct, time

RUNTIME = efi.runtime_services()
GET_TIME, GET_VARIABLE, SET_VARIABLE = (mem.r64(RUNTIME + offset) for offset in (24, 72, 88))
NOT_FOUND = 1 << 63 | 14
GUID = b"keelback-test..."
NAME = "KeelbackTest\0".encode()
NAME16 = b"".join([bytes([c, 0]) for c in NAME])

now = bytearray(16)
print(efi.call(GET_TIME, now, None))
fields = struct.unpack("<HBBBBB", now)
seconds = time.mktime(fields + (0, 0))
print(abs(seconds - clock.wall_ns() // 1000000000) <= 3)

data = bytearray(32)
size = bytearray((32).to_bytes(8, "little"))
print(efi.call(GET_VARIABLE, NAME16, GUID, None, size, data) == NOT_FOUND)
print(efi.call(SET_VARIABLE, NAME16, GUID, 7, 5, b"hello"))  # non-volatile, boot service, runtime
print(efi.call(GET_VARIABLE, NAME16, GUID, None, size, data), bytes(data[:5]), size[0])
print(efi.call(SET_VARIABLE, NAME16, GUID, 0, 0, None))
size[0] = 32
print(efi.call(GET_VARIABLE, NAME16, GUID, None, size, data) == NOT_FOUND)
