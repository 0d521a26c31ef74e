"""Clients of other makes and times: Dropbear's, OpenSSH 7.5, and asyncssh, which also asks for what ours must refuse."""

import asyncio
import hashlib
import subprocess

import asyncssh
import pytest

from test_openssh import KEX, PROTECTION, algorithms, bulk

LIMIT = 60  # s, for one conversation
CIPHERS = ["aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr"]


def converse(server, talk, **options):
    """Connect with asyncssh and run talk(connection). -> its result"""

    async def run():
        async with asyncssh.connect("127.0.0.1", server.port, username="x", known_hosts=None, client_keys=None, config=[], **options) as connection:
            return await talk(connection)

    return asyncio.run(asyncio.wait_for(run(), LIMIT))


def test_dropbear(server):
    done = subprocess.run(["dbclient", "-y", "-y", "-p", str(server.port), "x@127.0.0.1", "t-bulk", "300000"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=LIMIT)
    assert done.returncode == 0 and done.stdout == bulk(300000), done.stderr
    done = subprocess.run(["dbclient", "-y", "-y", "-p", str(server.port), "x@127.0.0.1", "nonsense"], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=LIMIT)
    assert done.returncode == 1 and b"unknown command" in done.stdout


def old(server, *words, options=(), **more):
    """Run a command with OpenSSH 7.5 of 2017, which Debian keeps as ssh1: without strict KEX and with few extensions."""
    return subprocess.run(["ssh1", *server.command(*options)[1:], *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT, **more)


def test_old_openssh(server):
    done = old(server, "t-bulk", "300000")
    assert (done.returncode, done.stdout, done.stderr) == (0, bulk(300000), b"")
    assert old(server, "nonsense").returncode == 1
    for number, (cipher, mac) in enumerate(PROTECTION):  # every kex with one of the ciphers, and new keys all the time
        options = [*algorithms(KEX[number], cipher, mac), "-o", "RekeyLimit=16K"]
        done = old(server, "t-bulk", "200000", options=options)
        assert (done.returncode, done.stdout) == (0, bulk(200000)), (options, done.stderr)
    assert old(server, "t-width", options=["-tt"]).stdout.startswith(b"width ")


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa2048"])
def test_old_openssh_with_key(serve, keys, kind):
    """Its RSA signatures are of SHA-2, too, as we say that we take those."""
    server = serve(keys[kind].with_suffix(".pub").read_text())
    assert old(server, "t-width", options=["-i", str(keys[kind])]).stdout == b"width 0\n"
    assert old(server, "t-width").returncode == 255


@pytest.mark.parametrize("kex", KEX)
@pytest.mark.parametrize("cipher", CIPHERS)
def test_asyncssh(server, kex, cipher):
    async def talk(connection):
        return await connection.run("t-bulk 200000", encoding=None)

    done = converse(server, talk, kex_algs=[kex], encryption_algs=[cipher], rekey_bytes=30000)
    assert done.exit_status == 0 and done.stdout == bulk(200000)


def test_sessions_of_one_connection(server):
    """Several sessions share a connection, and end by themselves."""
    async def talk(connection):
        runs = [connection.run(f"t-bulk {100000 + i}", encoding=None) for i in range(5)]
        return await asyncio.gather(*runs)

    for i, done in enumerate(converse(server, talk)):
        assert done.exit_status == 0 and hashlib.sha256(done.stdout).digest() == hashlib.sha256(bulk(100000 + i)).digest()


def test_too_many_sessions(serve):
    server = serve(channels_max=2)

    async def talk(connection):
        held = [await connection.create_process("t-wait 1500") for _ in range(2)]
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("t-width")
        return [(await process.wait()).stdout for process in held]

    assert converse(server, talk) == ["waited\n"] * 2


def test_refused(server):
    """Forwarding, subsystems and X11 are refused, and the session beside them goes on."""
    async def talk(connection):
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_connection("127.0.0.1", 22)
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 9)
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("t-width", x11_forwarding=True, x11_display="localhost:0")
        return (await connection.run("t-width", env={"LANG": "C"})).stdout

    assert converse(server, talk) == "width 0\n"


def test_signals(server):
    """INT and break interrupt what waits; TERM ends the session."""
    async def talk(connection):
        outcome = []
        for act in (lambda p: p.send_signal("INT"), lambda p: p.send_break(100)):
            process = await connection.create_process("t-wait 60000")
            await asyncio.sleep(0.2)
            act(process)
            outcome.append((await process.wait()).stdout)
        process = await connection.create_process("t-wait 60000")
        await asyncio.sleep(0.2)
        process.terminate()
        outcome.append((await process.wait()).exit_status)
        return outcome

    interrupted = "command error, interrupted\n"
    assert converse(server, talk)[:2] == [interrupted, interrupted]
    server.check()


def test_closed_while_it_runs(server):
    """A session that is closed in the middle of a command leaves nothing behind."""
    async def talk(connection):
        for command in ("t-wait 60000", "t-bulk 100000000"):
            process = await connection.create_process(command, encoding=None)
            await asyncio.sleep(0.2)
            process.close()
            await process.wait_closed()
        return int((await connection.run("t-memory")).stdout)

    first = converse(server, talk)
    later = [converse(server, talk) for _ in range(5)]
    assert min(later) < first + 100000
    server.check()


def test_keep_alive(serve):
    """A peer that answers stays for as long as it likes; a client's own keep-alives are answered."""
    server = serve(grace_ms=100, alive_ms=100, missed_max=2)

    async def talk(connection):
        return (await connection.run("t-wait 2000")).stdout

    assert converse(server, talk, keepalive_interval=0.1, keepalive_count_max=2) == "waited\n"


def test_flood_of_requests(server):
    """Requests without end, whose answers nobody reads, cost bounded memory."""
    async def talk(connection):
        before = int((await connection.run("t-memory")).stdout)
        transport = connection._transport
        transport.pause_reading()
        for _ in range(20000):
            connection.send_packet(80, asyncssh.packet.String("nobody-knows"), asyncssh.packet.Boolean(True))
        await asyncio.sleep(1)
        other = int(server.ssh("t-memory").stdout)
        transport.resume_reading()
        connection.abort()
        return other - before

    assert converse(server, talk) < 1000000
    server.check()
