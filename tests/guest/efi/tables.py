# The firmware's tables are where efi says, with their signatures, and can be read after boot services are gone.
import efi, mem

print(efi.boot_services())
print(bytes(mem.view(efi.system_table(), 8)), bytes(mem.view(efi.runtime_services(), 8)))
print(mem.r64(efi.system_table() + 88) == efi.runtime_services())
print(bytes(mem.view(efi.rsdp(), 8)))
print(sum(mem.view(efi.rsdp(), 20)) & 0xFF)
print(bytes(mem.view(efi.smbios(), 3)))
print(efi.image_handle() != 0)
print(efi.load_options(), efi.options(), efi.option("fault"), efi.files_note())
print(efi.OFF, efi.COLD, efi.WARM, efi.HALT)
