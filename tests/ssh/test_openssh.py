"""OpenSSH's client: every combination of algorithms, re-keying, commands, terminals, several at once."""

import hashlib
import signal
import subprocess
import time

import pytest

from sshclient import Terminal

KEX = ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384"]
PROTECTION = [("aes256-gcm@openssh.com", "hmac-sha2-256-etm@openssh.com"), ("chacha20-poly1305@openssh.com", "hmac-sha2-256-etm@openssh.com"),
              ("aes256-ctr", "hmac-sha2-256-etm@openssh.com"), ("aes256-ctr", "hmac-sha2-512-etm@openssh.com")]
PIECE = bytes(i * 7 & 255 for i in range(1021))


def bulk(size):
    return (PIECE * (size // len(PIECE) + 1))[:size]


def algorithms(kex, cipher, mac):
    return ["-o", f"KexAlgorithms={kex}", "-o", f"Ciphers={cipher}", "-o", f"MACs={mac}"]


@pytest.mark.parametrize("kex", KEX)
@pytest.mark.parametrize("cipher, mac", PROTECTION)
def test_combination(server, kex, cipher, mac):
    done = server.ssh("t-bulk", "100000", options=algorithms(kex, cipher, mac))
    assert (done.returncode, done.stderr) == (0, b"") and done.stdout == bulk(100000)


@pytest.mark.parametrize("option", ["KexAlgorithms=diffie-hellman-group14-sha256", "Ciphers=aes128-cbc", "HostKeyAlgorithms=ssh-ed25519"])
def test_nothing_in_common(server, option):
    done = server.ssh("t-width", options=["-o", option, "-o", "LogLevel=INFO"])
    assert done.returncode == 255 and b"no matching" in done.stderr, done
    server.check()


@pytest.mark.parametrize("cipher, mac", PROTECTION)
def test_rekey_by_client(server, cipher, mac):
    options = [*algorithms(KEX[0], cipher, mac), "-o", "RekeyLimit=16K", "-o", "LogLevel=DEBUG1"]
    done = server.ssh("t-bulk", "400000", options=options)
    assert done.returncode == 0 and done.stdout == bulk(400000)
    assert done.stderr.count(b"SSH2_MSG_NEWKEYS received") > 3  # how often depends on how much is under way each time


@pytest.mark.parametrize("kex", KEX)
def test_rekey_by_server(serve, kex):
    server = serve(rekey_bytes=50000)
    done = server.ssh("t-bulk", "1000000", options=["-o", f"KexAlgorithms={kex}", "-o", "LogLevel=DEBUG1"])
    assert done.returncode == 0 and done.stdout == bulk(1000000)
    assert done.stderr.count(b"SSH2_MSG_NEWKEYS received") > 10
    server.check()


def test_rekey_while_both_send(server):
    """Lines go in while their output comes out, with new keys all the time."""
    done = server.ssh(options=["-T", "-o", "RekeyLimit=16K"], input=b"t-bulk 2000\n" * 300)
    assert done.returncode == 0 and done.stdout == bulk(2000) * 300


def test_exit_status(server):
    done = server.ssh("t-width")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"width 0\n", b"")
    done = server.ssh("nothing-of-that", "name")
    assert (done.returncode, done.stdout) == (1, b"command error, unknown command `nothing-of-that`, type `help`\n")
    assert server.ssh("t-bulk").returncode == 1
    assert server.ssh("exit").returncode == 0
    assert server.ssh("\xff'").returncode == 1
    assert server.ssh("x" * 5000).stdout == b"command error, line too long\n"
    assert server.ssh("t-print", "3").stdout == b"line 0\nline 1\nline 2\n"
    assert server.ssh("t-wait", "10").stdout == b"waited\n"


def test_lines_without_terminal(server):
    """A shell without a terminal runs lines, says nothing else, and ends with the last one's status."""
    done = server.ssh(options=["-T"], input=b"t-width\r\n\n  t-print 1 \nnonsense")
    assert done.stdout == b"width 0\nline 0\ncommand error, unknown command `nonsense`, type `help`\n" and done.returncode == 1
    assert server.ssh(options=["-T"], input=b"nonsense\nt-width\n").returncode == 0
    done = server.ssh(options=["-T"], input=b"exit\nt-width\n")
    assert (done.stdout, done.returncode) == (b"", 0)
    done = server.ssh(options=["-T"], input=b"y" * 100000 + b"\nt-width\n")
    assert done.stdout == b"command error, line too long\nwidth 0\n"


def test_what_nobody_foresaw(serve):
    """An error of ours is one line for the user, and a traceback on the console."""
    server = serve()
    done = server.ssh("t-fail")
    assert done.returncode == 1 and done.stdout == b"command error, RuntimeError: nobody foresaw it\n"
    assert "RuntimeError" in server.log.read_text()


@pytest.fixture
def terminal(server):
    """A function that opens a terminal at the prompt."""
    opened = []

    def start(*words, **more):
        t = Terminal(server.command("-tt"), *words, **more)
        opened.append(t)
        if not words:
            t.expect(b"\r\n\r\n> ")
        return t

    yield start
    for t in opened:
        t.process.kill()
        t.process.wait()


def test_terminal(terminal):
    """Editing, completion, REPL and the ways out."""
    t = terminal()
    t.send(b"t-wx\x7fi\t\r")
    assert b"width 80\r\n" in t.expect(b"\r\n> ")
    t.send(b"python\r")
    t.expect(b">>> ")
    t.send(b"6 * 7\r")
    assert t.expect(b">>> ") == b"6 * 7\r\n42\r\n"
    t.send(b"print('a\\nb')\r")
    assert t.expect(b">>> ").endswith(b"\r\na\r\nb\r\n")
    t.send(b"\x04")
    t.expect(b"> ")
    t.send(b"half a line\x03")
    t.expect(b"> ")
    t.send(b"exit\r")
    seen, status = t.end()
    assert status == 0 and b"\x1b[6n" not in seen, "the width is told and was asked for"


def test_ctrl_d(terminal):
    t = terminal()
    t.send(b"\x04")
    assert t.end()[1] == 0


def test_window_change(terminal):
    """The line editor wraps where the window ends, also after that has changed."""
    t = terminal(columns=40)
    t.send(b"a" * 60)
    t.expect(b"a" * 38)
    t.send(b"\x15t-width\r")
    t.expect(b"width 40\r\n\r\n> ")
    t.resize(132)
    t.process.send_signal(signal.SIGWINCH)
    time.sleep(0.3)
    t.send(b"t-width\r")
    t.expect(b"width 132\r\n\r\n> ")


def test_interrupted_waiting(terminal):
    t = terminal()
    t.send(b"t-wait 60000\r")
    t.expect(b"\r\n")
    t.send(b"\x03")
    t.expect(b"command error, interrupted\r\n> ")


def test_command_with_terminal(terminal):
    seen, status = terminal("t-print", "2").end()
    assert seen.startswith(b"line 0\r\nline 1\r\n") and status == 0


def test_three_at_once(server, terminal):
    """Three users have sessions of their own, while a fourth one's output runs."""
    busy = subprocess.Popen([*server.command(), "t-bulk", "20000000"], stdout=subprocess.PIPE)
    users = [terminal(columns=50 + i) for i in range(3)]
    for i, user in enumerate(users):
        user.send(b"t-width\r")
    for i, user in enumerate(users):
        user.expect(b"width %d\r\n" % (50 + i))
    digest = hashlib.sha256(busy.stdout.read()).digest()
    assert busy.wait(20) == 0 and digest == hashlib.sha256(bulk(20000000)).digest()


def test_stalled_client(server):
    """A client that does not read costs bounded memory, and nobody else anything."""
    before = int(server.ssh("t-memory").stdout)
    stalled = subprocess.Popen([*server.command(), "t-bulk", "100000000"], stdout=subprocess.PIPE)
    assert len(stalled.stdout.read(100000)) == 100000
    stalled.send_signal(signal.SIGSTOP)
    try:
        time.sleep(1)
        start = time.monotonic()
        assert int(server.ssh("t-memory").stdout) - before < 1500000
        assert time.monotonic() - start < 10
    finally:
        stalled.kill()
        stalled.wait()
    server.check()
