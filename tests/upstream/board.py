"""A booted machine as MicroPython's runner wants a board: a serial device, here a pseudo-terminal.

The bridge is two threads, and lives as long as the machine; the device can be opened and closed meanwhile.
"""

import os
import threading
import tty

from vm import BOOT_LIMIT, Machine, VMError

LIFE = 24 * 3600  # s, longer than any run


class Board:
    """A machine at its prompt. Use as a context manager. device: the terminal's path."""

    def __init__(self, options):
        self.machine = Machine(options)

    def __enter__(self):
        self.machine.__enter__()
        try:
            self.machine.wait_prompt(BOOT_LIMIT)
        except BaseException:
            self.machine.kill()
            raise
        self._here, self._there = os.openpty()
        tty.setraw(self._there)
        self.device = os.ttyname(self._there)
        self._threads = [threading.Thread(target=f, daemon=True) for f in (self._to_guest, self._from_guest)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.machine.kill()  # ends _from_guest, which ends _to_guest
        for thread in reversed(self._threads):
            thread.join()
        os.close(self._here)

    def alive(self):
        return self.machine.process.poll() is None

    def tail(self):
        """Return the console's last lines."""
        return self.machine.tail(12)

    def _to_guest(self):
        """Pass on what the runner writes, until the terminal's other end is closed."""
        try:
            while True:
                self.machine.send(os.read(self._here, 4096))
        except (OSError, VMError):
            pass

    def _from_guest(self):
        """Pass on what the guest sends, until the machine ends."""
        try:
            while True:
                data = self.machine.expect(rb".+", LIFE)[0]
                while data:
                    data = data[os.write(self._here, data):]
        except VMError:
            os.close(self._there)
