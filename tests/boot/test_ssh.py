"""The SSH console of a machine: `debug`, authorized_keys, Ctrl-C in what computes, many sessions, the network's end, firmware mode."""

import signal
import socket
import subprocess
import time

import pytest

import rawrepl
import sshclient

DEBUG = "net-virtio 10.0.0.1 255.255.255.0 10.0.0.2 debug"
LIMIT = 60  # s
FAREWELL = b"the server stops"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def console(boot):
    """A function that boots a machine with `debug` and returns it; machine.ssh(*words) runs a command in it."""

    def start(files=None, command=DEBUG, **options):
        port = free_port()
        machine = boot(net="user", forwards={22: port}, files=files or {}, **options)
        machine.port, machine.said = port, machine.command(command)
        machine.ssh = lambda *words, options=(): subprocess.run([*sshclient.command(port, *options), *words], stdin=subprocess.DEVNULL,
                                                                capture_output=True, text=True, timeout=LIMIT)
        return machine

    return start


@pytest.fixture
def terminal():
    """A function that opens a terminal at the prompt of a machine's SSH console."""
    opened = []

    def start(machine):
        opened.append(sshclient.Terminal(sshclient.command(machine.port, "-tt")))
        opened[-1].expect(b"\r\n\r\n> ", LIMIT)
        return opened[-1]

    yield start
    for t in opened:
        t.process.kill()
        t.process.wait()


def python(t, line):
    """Type a line at the prompt of `python` and return what it printed."""
    t.send(line.encode() + b"\r")
    return t.expect(b">>> ", LIMIT).decode().replace("\r\n", "\n").partition("\n")[2]


def test_open(console, terminal):
    """Open to all, loudly; every algorithm; the session computes, prints and is interrupted, and the console lives on."""
    machine = console()
    assert "WARNING: without authorized_keys the SSH console is open" in machine.said and "ssh://10.0.0.1:22" in machine.said
    done = machine.ssh("info")
    assert done.returncode == 0 and done.stdout.startswith("Runtime ") and "\r" not in done.stdout, done
    assert machine.ssh("nonsense").returncode == 1
    for option in ("KexAlgorithms=ecdh-sha2-nistp256", "KexAlgorithms=ecdh-sha2-nistp384", "Ciphers=aes256-gcm@openssh.com", "Ciphers=aes256-ctr"):
        assert machine.ssh("uptime", options=["-o", option]).returncode == 0
    t = terminal(machine)
    t.send(b"python\r")
    t.expect(b">>> ")
    assert python(t, "6 * 7") == "42\n"
    interrupted_while_it_computes(t)
    loops_of_its_own(t)
    others_meanwhile(machine, t, terminal)
    stalled_meanwhile(machine)
    soft_reset_below(machine, t)
    assert "Traceback" not in machine.tail(200)
    ended_by(machine, "net-down", [terminal(machine) for _ in range(3)])
    assert machine.ssh("info", options=["-o", "ConnectTimeout=3"]).returncode == 255
    assert "command error" not in machine.command("info")


def ended_by(machine, command, terminals):
    """A command at the console ends the connections, and every client is told."""
    machine.command(command)
    for t in terminals:
        seen, status = t.end(LIMIT)
        assert status == 255 and FAREWELL in seen, seen


def stalled_meanwhile(machine):
    """Two clients stop reading in the middle of much output; five others come and go behind them, at the same time."""
    stalled = [subprocess.Popen(sshclient.command(machine.port, "-T"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    heads = []
    try:
        for process in stalled:
            process.stdin.write(b"help\n" * 500)
            process.stdin.flush()
            heads.append(process.stdout.read(10000))
            process.send_signal(signal.SIGSTOP)
        others = [subprocess.Popen([*sshclient.command(machine.port), "uptime"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) for _ in range(5)]
        for process in others:
            assert b"second" in process.communicate(timeout=LIMIT)[0] and process.returncode == 0
        for process, head in zip(stalled, heads):  # who reads on gets all of it
            process.send_signal(signal.SIGCONT)
            process.stdin.close()
            text = head + process.stdout.read()
            assert (text.count(b"show system running time"), process.wait(LIMIT)) == (500, 0)
    finally:
        for process in stalled:
            process.kill()
            process.wait()


def soft_reset_below(machine, t):
    """A soft reset ends the server and its sessions, whose clients learn of it at once; started again it serves."""
    assert rawrepl.run(machine, "print(6 * 7)") == ("42\n", "")
    seen, status = t.end(LIMIT)
    assert status == 255 and (b"closed by remote host" in seen or b"reset" in seen), seen
    assert "no network" in machine.command("net")
    assert "initialized" in machine.command(DEBUG)
    assert machine.ssh("uptime").returncode == 0


def interrupted_while_it_computes(t):
    for code in ("while True: pass", "import time; time.sleep(1000)", "while True: print('flood')", "while True: print(end='.')", "input()"):
        t.send(code.encode() + (b"\r\r" if code.startswith("while") else b"\r"))
        time.sleep(1)
        t.send(b"\x03")
        seen = t.expect(b">>> ", LIMIT)
        while b"KeyboardInterrupt" not in seen:
            seen = t.expect(b">>> ", LIMIT)
    assert python(t, "print('alive')") == "alive\n"
    start = time.monotonic()
    t.send(b"for i in range(3): print(i); time.sleep_ms(300)\r\r")
    t.expect(b"0\r\n", LIMIT)
    assert time.monotonic() - start < 0.6, "what is printed comes at the end only"
    t.expect(b"2\r\n>>> ", LIMIT)


def loops_of_its_own(t):
    """asyncio.run() in a session, with the same event loop and another one."""
    python(t, "import asyncio")
    python(t, "async def long(): await asyncio.sleep(1000)\r")
    t.send(b"asyncio.run(long())\r")
    time.sleep(0.5)
    t.send(b"\x03")
    t.expect(b"KeyboardInterrupt", LIMIT)
    t.expect(b">>> ", LIMIT)
    python(t, "async def short(): await asyncio.sleep_ms(50)\r")
    assert python(t, "asyncio.run(short()); l = asyncio.new_event_loop(); print('new'); asyncio.run(short()); print('old')") == "new\nold\n"
    assert python(t, "print('alive')") == "alive\n"


def others_meanwhile(machine, t, terminal):
    """A second session computes; the first, the console and new ones go on behind it. The console can interrupt it as well."""
    other = terminal(machine)
    other.send(b"python\r")
    other.expect(b">>> ")
    assert python(other, "sum(range(1000000))") == "499999500000\n"
    other.send(b"while True: pass\r\r")
    time.sleep(1)
    machine.send("\x03")
    other.expect(b"KeyboardInterrupt", LIMIT)
    other.expect(b">>> ", LIMIT)
    other.send(b"while True: pass\r\r")
    time.sleep(0.5)
    other.process.kill()  # nobody is there any more: what computes is ended
    assert python(t, "print('alive')") == "alive\n"
    assert machine.ssh("uptime").returncode == 0


def test_keys(console, tmp_path):
    """Only who has a key of /authorized_keys enters; a line that is none is named on the console."""
    for name in ("good", "bad"):
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", tmp_path / name], check=True)
    machine = console({"authorized_keys": (tmp_path / "good.pub").read_text() + "ssh-dss AAAA old\n"})
    assert "WARNING" not in machine.said and "/authorized_keys, line 2 is no key: unknown kind of key" in machine.said
    assert machine.ssh("uptime", options=["-i", str(tmp_path / "good")]).returncode == 0
    assert machine.ssh("uptime", options=["-i", str(tmp_path / "bad")]).returncode == 255
    assert machine.ssh("uptime").returncode == 255


def test_firmware_mode(console, terminal):
    """Over the firmware's driver: commands, a terminal, Ctrl-C in what computes, the farewell; then over ours, in bare mode."""
    machine = console({"keelback.cfg": "boot_services=keep\n"}, "net-uefi 10.0.0.1/24 : 10.0.0.2 debug")
    assert "ssh://10.0.0.1:22" in machine.said and "WARNING" in machine.said, machine.said
    assert machine.ssh("info").stdout.startswith("Runtime ")
    t = terminal(machine)
    t.send(b"python\r")
    t.expect(b">>> ", LIMIT)
    assert python(t, "6 * 7") == "42\n"
    for code in (b"while True: pass\r\r", b"import time; time.sleep(1000)\r"):
        t.send(code)
        time.sleep(1)
        t.send(b"\x03")
        t.expect(b"KeyboardInterrupt", LIMIT)
        t.expect(b">>> ", LIMIT)
    ended_by(machine, "net-down", [t, terminal(machine)])
    assert "exited EFI boot services" in machine.command("exit-boot-services")
    assert "initialized" in machine.command(DEBUG)
    assert machine.ssh("uptime").returncode == 0
