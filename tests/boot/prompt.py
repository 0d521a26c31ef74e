"""A machine at its Python prompt, where what runs beside it goes on; and ports of this host."""

import socket


def free_port(kind=socket.SOCK_STREAM):
    """Return a port of the loopback that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Prompt:
    """Takes a machine at the shell's prompt to the one of Python, and first runs some lines there."""

    def __init__(self, vm, *lines):
        self.vm = vm
        self.vm.send("python\r")
        self.vm.expect(rb">>> \Z", 30)
        for line in lines:
            printed = self.run(line)
            assert "Traceback" not in printed, printed

    def run(self, line, limit=120):
        """Run a line; return what it prints."""
        start = self.vm.position
        self.vm.send(line + "\r")
        self.vm.expect(rb"\n>>> \Z", limit)
        return self.vm.console[start:self.vm.position].decode().replace("\r", "").partition("\n")[2][:-5]

    def leave(self):
        """Back to the shell's prompt."""
        self.vm.send("\x04")
        self.vm.wait_prompt()
