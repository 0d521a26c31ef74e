"""The network cards of this machine: who drives one in which mode, and why there may be none.

Each kind has check(), which says early that the mode is the wrong one, and probe(), which finds the driver of the
card. Both raise OSError, whose text is one line for a user.
"""

# SPDX-License-Identifier: BSD-3-Clause


class virtio:
    """The first VirtIO card (drivers/virtio_net.py), in bare mode."""

    @staticmethod
    def check():
        import efi

        if efi.boot_services():
            raise OSError("the firmware has the devices: use net-uefi, or `exit-boot-services` to take them over")

    @staticmethod
    def probe():
        import efi

        from drivers import pci, virtio, virtio_net

        try:
            nic = virtio_net.probe(pci.functions(pci.config(efi.rsdp())))
        except virtio.VirtioError as e:
            raise OSError("network card: %s" % e)
        if not nic:
            raise OSError("no VirtIO network card")
        return nic


class uefi:
    """The card that the firmware drives (drivers/uefi_net.py), in firmware mode."""

    @staticmethod
    def check():
        import efi

        if not efi.boot_services():
            raise OSError("boot services were exited; `boot_services=keep` in keelback.cfg keeps them, or use net-virtio")

    @staticmethod
    def probe():
        import efi

        from drivers import uefi_net
        from drivers.efi import SystemTable

        nic = uefi_net.probe(SystemTable(efi.system_table()))
        if not nic:
            raise OSError("the firmware drives no network card")
        return nic
