"""Drive one QEMU from a test or a benchmark: serial line, QMP, exit; every wait has a limit.

    with Machine(qemu.Options(volume=esp)) as vm:
        vm.expect(PROMPT, 60)
        vm.send(b"info\r")

The machine is started paused and released when serial line and QMP are connected, so no byte is lost.
"""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

BOOT_LIMIT = 180     # s, from power-on to the prompt, on a busy host
PROMPT = rb"(?:\A|\n)> \Z"
_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?=]*[A-Za-z]|[78=>]|[()][A-Z0-9]?)|\x08|\r")


class VMError(Exception):
    """The machine did not do what was expected; the text ends with the console's last lines."""


class Machine:
    """A running QEMU. Use as a context manager; leaving it kills the process."""

    def __init__(self, options):
        self.options = options
        self.console = bytearray()  # everything received so far
        self.position = 0           # expect() has consumed the console up to here
        self.events = []            # QMP events not asked for yet
        self.process = None
        self._arrived = threading.Condition()
        self._closed = False
        self._folder = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *exc):
        self.kill()

    # ---- life ------------------------------------------------------------------------------------------------------

    def start(self):
        """Start QEMU, connect, and release the processor. Raises VMError, QemuError."""
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="keelback-"))
        o = self.options
        o.qmp, o.paused = str(self._folder / "qmp"), True
        if o.serial == "stdio":
            o.serial = str(self._folder / "serial")
        self._log = open(self._folder / "stderr", "w+b")
        self.process = subprocess.Popen(o.command(), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self._qmp = self._connect(o.qmp)
        self._qmp_file = self._qmp.makefile("rb")
        self._qmp_line()  # the greeting
        self.qmp("qmp_capabilities")
        if o.serial:
            self._serial = self._connect(("127.0.0.1", self.serial_port()) if o.serial == "tcp" else o.serial)
            threading.Thread(target=self._read_serial, daemon=True).start()
        if not o.gdb:
            self.qmp("cont")

    def serial_port(self):
        """Return the TCP port of the serial line of a machine with serial="tcp"."""
        name = next(c["filename"] for c in self.qmp("query-chardev") if c["label"] == "serial")
        return int(re.search(r":(\d+)", name.split("127.0.0.1")[1])[1])

    def release_serial(self):
        """Let go of the serial line of a machine with serial="tcp", for another client, and return its port."""
        port = self.serial_port()
        self._serial.shutdown(socket.SHUT_RDWR)
        return port

    def kill(self):
        """End QEMU now, if it is still there, and forget its files."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self._log.close()
        for name in ("_qmp_file", "_qmp", "_serial"):
            if hasattr(self, name):
                getattr(self, name).close()
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def wait_exit(self, limit):
        """Wait for QEMU to end by itself and return its exit status."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise self._error(f"QEMU still runs after {limit} s")

    def rss(self):
        """Return the resident memory of the QEMU process in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+) kB", status)[1]) * 1024

    def cpu_time(self):
        """Return the processor time that the QEMU process has used, in s."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    # ---- serial line -----------------------------------------------------------------------------------------------

    def expect(self, pattern, limit):
        """Wait until the console's unread part has a match for pattern (bytes: a regular expression).

        Consumes up to the end of the match and returns the match object. limit: s. Raises VMError.
        """
        deadline = time.monotonic() + limit
        regex = re.compile(pattern, re.S)
        with self._arrived:
            while True:
                unread = bytes(self.console[self.position:])
                m = regex.search(unread)
                if m:
                    self.position += m.end()
                    return m
                left = deadline - time.monotonic()
                if self._closed:
                    raise self._error(f"QEMU ended while waiting for {pattern!r}")
                if left <= 0:
                    raise self._error(f"no {pattern!r} within {limit} s")
                self._arrived.wait(left)

    def wait_prompt(self, limit=BOOT_LIMIT):
        """Wait for the shell's prompt and return the text before it, without escape sequences."""
        start = self.position
        self.expect(PROMPT, limit)
        return plain(self.console[start:self.position - 2])

    def wait_reset(self, limit=60):
        """Wait until the executable starts once more, and for its prompt. limit: s, of the firmware."""
        self.expect(rb"initializing EFI services", limit)
        return self.wait_prompt()

    def send(self, data, limit=60):
        """Send bytes (or text) to the guest; limit in s for a guest that does not read."""
        self._serial.settimeout(limit)
        try:
            self._serial.sendall(data.encode() if isinstance(data, str) else data)
        except OSError as e:
            raise self._error(f"cannot send to the guest: {e}")

    def command(self, line, limit=30):
        """Type one line at the shell's prompt and return the answer: what is printed up to the next prompt."""
        self.send(line + "\r")
        return self.wait_prompt(limit).partition("\n")[2]

    def tail(self, lines=20):
        """Return the console's last lines as text."""
        return "\n".join(plain(self.console[-8192:]).splitlines()[-lines:])

    # ---- QMP -------------------------------------------------------------------------------------------------------

    def qmp(self, command, **arguments):
        """Run a QMP command and return its result. Underscores in argument names stand for hyphens."""
        arguments = {k.replace("_", "-"): v for k, v in arguments.items()}
        self._qmp.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = self._qmp_line()
            if "event" in answer:
                self.events.append(answer)
            elif "error" in answer:
                raise self._error(f"QMP {command}: {answer['error']['desc']}")
            else:
                return answer["return"]

    def wait_event(self, name, limit):
        """Wait for a QMP event and return it; events before it are dropped."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            event = self.events.pop(0) if self.events else self._qmp_line(deadline - time.monotonic())
            if event.get("event") == name:
                return event
        raise self._error(f"no QMP event {name} within {limit} s")

    def _qmp_line(self, limit=60):
        """Read one QMP message."""
        self._qmp.settimeout(max(limit, 0.01))
        try:
            line = self._qmp_file.readline()
        except OSError:
            raise self._error(f"QMP is silent for {limit:.0f} s")
        if not line:
            raise self._error("QEMU has ended")
        return json.loads(line)

    # ---- helpers ---------------------------------------------------------------------------------------------------

    def _connect(self, where, limit=30):
        """Connect to a socket that QEMU is about to open: a path, or (host, port)."""
        deadline = time.monotonic() + limit
        while True:
            s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
            try:
                s.connect(where)
                return s
            except OSError as e:
                s.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise self._error(f"QEMU did not start: {e}")
            time.sleep(0.01)

    def _read_serial(self):
        """Collect what the guest sends, until QEMU ends."""
        while True:
            try:
                data = self._serial.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                data = b""
            with self._arrived:
                self.console += data
                self._closed = not data
                self._arrived.notify_all()
            if not data:
                return

    def _error(self, text):
        """Make the error for text, with what QEMU and the console said last."""
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip()
        return VMError("\n".join(filter(None, [text, said and f"QEMU said: {said}", "the console's last lines:", self.tail()])))


def plain(data):
    """Return console bytes as text without escape sequences and carriage returns."""
    return _ESCAPES.sub(b"", bytes(data)).decode(errors="replace")
