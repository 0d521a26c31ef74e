"""The network cards of this machine: who drives one in which mode, and why there may be none.

Each kind has check(), which says early that the mode is the wrong one, and probe(), which finds the driver of the
card. Both raise OSError, whose text is one line for a user. `modules` and prepare() are for who has time before.
"""

# SPDX-License-Identifier: BSD-3-Clause


class virtio:
    """The first VirtIO card (drivers/virtio_net.py), in bare mode."""

    command = "net-virtio"
    modules = ("drivers.pci", "drivers.msix", "drivers.virtio", "drivers.virtio_modern", "drivers.virtqueue", "drivers.virtio_net", "drivers.virtio_control")
    _config = None  # how PCI's configuration space is reached: it stays where it is

    @staticmethod
    def check():
        import efi

        if efi.boot_services():
            raise OSError("the firmware has the devices: use net-uefi, or `exit-boot-services` to take them over")

    @classmethod
    def prepare(cls):
        """Look for the way to the cards."""
        import efi

        from drivers import pci

        cls._config = cls._config or pci.config(efi.rsdp())

    @classmethod
    def probe(cls):
        from drivers import pci, virtio, virtio_net

        cls.prepare()
        try:
            nic = virtio_net.probe(pci.functions(cls._config))
        except virtio.VirtioError as e:
            raise OSError("network card: %s" % e)
        if not nic:
            raise OSError("no VirtIO network card")
        return nic


class uefi:
    """The card that the firmware drives (drivers/uefi_net.py), in firmware mode."""

    command = "net-uefi"
    modules = ("drivers.efi", "drivers.uefi_net")

    @classmethod
    def prepare(cls):
        """There is nothing to look for: who asks the firmware takes the card from it."""

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


def usable():
    """-> the kind of card for the mode that the machine is in."""
    import efi

    return uefi if efi.boot_services() else virtio
