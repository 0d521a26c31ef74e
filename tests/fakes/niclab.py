"""The driver of a virtio network card with its card in Python, brought up for a test: ram.install() must come first."""

import irq
import mem
import ram
import virtiocard as vc
from drivers import virtio, virtio_net
from virtiocard import Card


class STACK:
    """Takes what an interrupt brings. events: what was called, in order."""

    events = []

    def input(addr, length, info):
        assert ram.holder(addr, length)
        STACK.events.append((bytes(ram.uctypes.bytes_at(addr, length)), info))

    def settle():
        STACK.events.append("settle")


def fresh(start=True, **properties):
    """-> (card, its driver, brought up)."""
    mem.reset()
    ram.live.clear()
    irq.callbacks.clear()
    card = Card(**properties)
    # The card answers its control queue while the driver waits: each look at the clock is a step of the device.
    clock = [0]

    def ticks():
        clock[0] += 20
        if card.accepted & vc.CTRL_VQ:
            card.command()
        return clock[0]

    virtio.time = virtio_net_control_time(ticks)
    nic = virtio_net.VirtioNet(card.function())
    if start:
        nic.start(lambda: None, STACK)
        nic.open()
    return card, nic


class virtio_net_control_time:
    """Stands for module time in the drivers."""

    def __init__(self, ticks):
        self.ticks_ms = ticks
        self.ticks_diff = lambda a, b: a - b
        from drivers import virtio_control

        virtio_control.time = self


def frames_in(nic, budget=64):
    """-> frames that poll() hands on, put together."""
    frames, parts = [], []

    def handle(addr, length, info):
        assert ram.holder(addr, length)
        parts.append(bytes(ram.uctypes.bytes_at(addr, length)))
        if info >> 1 == 0:
            frames.append((b"".join(parts), info & 1))
            parts.clear()

    nic.poll(handle, budget)
    assert not parts
    return frames


def frame_out(nic, data, csum=0):
    ram.uctypes.bytearray_at(nic.tx[0], len(data))[:] = data
    nic.transmit(len(data), csum)
