"""The network inside an SEV-SNP guest of the emulator: VirtIO card, TCP, SSH and HTTP over memory that is shared for it alone."""

import base64
import hashlib
import subprocess

import rawrepl
import sshclient
from test_net import SERVER, STATIC, exchange, free_port

REPORT_DATA = 0x50  # of a report, 64 bytes. AMD 56860, table 23
LIMIT = 60  # s
MIB = 1 << 20


def test_network(boot_snp):
    """Addresses given and by DHCP; megabytes there and back intact; SSH, HTTP; after a soft reset again; nothing private is shown to the card."""
    http, ssh = free_port(), free_port()
    machine = boot_snp(files={"server.py": SERVER}, net="user", forwards={80: http, 22: ssh})
    assert "network initialized (10.0.0.15/24" in machine.command("net-virtio")
    for _ in range(2):
        echo(machine, http)
    debug(machine, http, ssh)
    machine.command("net-down")
    assert "no network" in machine.command("net")
    assert "violation" not in machine.log()


def echo(machine, port):
    """Send data through a server in the machine and back, from a fresh interpreter to a soft reset."""
    assert "network initialized (10.0.0.1/24 52:54:00:12:34:56)" in machine.command(STATIC)
    python(machine, "import server", "import time; time.sleep_ms(1)")
    data = bytes(range(256)) * (3 * MIB // 256 + 1)
    assert exchange(port, data) == data
    machine.send("\x04")
    machine.wait_prompt(LIMIT)
    assert rawrepl.run(machine, "print(sum(bytearray(1 << 20)))") == ("0\n", "")  # in a fresh interpreter
    assert "no network" in machine.command("net")


def python(machine, *lines):
    machine.send("python\r")
    machine.expect(rb">>> \Z", LIMIT)
    for line in lines:
        machine.send(line + "\r")
        machine.expect(rb"\n>>> \Z", LIMIT)


def debug(machine, http, ssh):
    """The debug servers, for clients that nobody here wrote."""
    said = machine.command(STATIC + " debug", LIMIT)
    assert "ssh://10.0.0.1:22" in said and "http://10.0.0.1:80/debug/pprof" in said
    done = subprocess.run([*sshclient.command(ssh), "sev"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0 and "SEV-SNP" in done.stdout, done
    page = subprocess.run(["curl", "-fsS", "--max-time", str(LIMIT), f"http://127.0.0.1:{http}/debug/pprof/"], capture_output=True, text=True)
    assert page.returncode == 0 and "<html" in page.stdout and "go tool pprof" in page.stdout, page


def test_host_key(boot_snp):
    """The key that an SSH client sees is the one that `sev-report ssh` binds, the same after a reboot, and another program's is another."""
    port = free_port()
    machine = boot_snp(net="user", forwards={22: port})
    first = host_key(machine, port)
    machine.send("reset\r")
    machine.wait_reset()
    assert host_key(machine, port) == first
    machine.kill()
    other = boot_snp("measurement=" + "5a" * 48, net="user", forwards={22: port})
    assert host_key(other, port) != first
    assert "violation" not in machine.log() + other.log()


def host_key(machine, port):
    """Return the SSH server's public key, as a client sees it and as a report says."""
    assert "network initialized" in machine.command(STATIC + " debug", LIMIT)
    assert "random" not in machine.tail()
    seen = subprocess.run(["ssh-keyscan", "-t", "ecdsa", "-T", str(LIMIT), "-p", str(port), "127.0.0.1"], capture_output=True, text=True, timeout=2 * LIMIT)
    kind, key = seen.stdout.split()[1:]
    assert kind == "ecdsa-sha2-nistp256", seen
    report = bytes.fromhex(machine.command("sev-report raw ssh", LIMIT))
    assert report[REPORT_DATA:REPORT_DATA + 64] == hashlib.sha256(base64.b64decode(key)).digest() + bytes(32)
    return key
