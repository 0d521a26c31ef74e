"""net/ssh/transport.py and packets.py: exchange and re-keying in memory, order of messages, limits, mutated packets."""

import random

from check import raises, run, same
from net.ssh.consts import *
from net.ssh.hostkey import HostKey
from net.ssh.server import Limits, Server
from net.ssh.wire import byte, string, u32
from sshpeer import Peer

CIPHERS = ("aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com", "aes256-ctr")
PING = byte(MSG_PING) + string(b"are you there")
KEY = HostKey()


def failed(e):
    raise e


def server(**limits):
    class These(Limits):
        pass

    for name, value in limits.items():
        setattr(These, name, value)
    return Server(KEY, None, limits=These, report=failed)


def alive(peer):
    peer.send(PING)
    same(peer.expect(MSG_PONG), byte(MSG_PONG) + string(b"are you there"))


def test_login():
    for cipher in CIPHERS:
        for method in ("curve25519-sha256", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384"):
            for strict in (True, False):
                peer = Peer(server(), cipher, method, strict)
                peer.login()
                alive(peer)


def test_who_begins():
    """The server's KEXINIT answers the peer's; a peer that waits for it gets it all the same, once."""
    peer = Peer(server())
    peer.identify()
    same(peer.messages(), [])
    peer.connection.offer()
    peer.connection.offer()
    peer.deliver()
    peer.exchange(peer.expect(MSG_KEXINIT))
    peer.connection.offer()
    peer.expect(MSG_EXT_INFO)


def test_byte_by_byte():
    peer = Peer(server())
    peer.login()
    peer.queue(PING)
    data, peer._out = peer._out, bytearray()
    for i in range(len(data)):
        same(peer.messages(), [])
        peer.pipe.incoming += data[i : i + 1]
        peer.connection.turn()
    peer.expect(MSG_PONG)


def test_many_at_once():
    """More than a buffer holds, in one piece; also the largest packet."""
    peer = Peer(server())
    peer.login()
    for _ in range(300):
        peer.queue(byte(MSG_PING) + string(bytes(200)))
    peer.deliver()
    same(len(peer.messages()), 300)
    peer.send(byte(MSG_PING) + string(bytes(34000)))
    same(len(peer.expect(MSG_PONG)), 34005)
    raises(Disconnect, peer.send, byte(MSG_PING) + string(bytes(35000)))


def test_rekey_by_peer():
    for cipher in CIPHERS:
        peer = Peer(server(), cipher)
        peer.login()
        for _ in range(3):
            peer.exchange()
            same(peer.messages(), [])
            alive(peer)


def test_rekey_by_server():
    """After so many bytes the server begins; what it would answer waits for the new keys."""
    peer = Peer(server(rekey_bytes=5000))
    peer.login()
    while True:
        peer.send(byte(MSG_PING) + string(bytes(500)))
        found = peer.messages()
        if found[-1][0] == MSG_KEXINIT:
            break
    peer.send(PING)  # was on its way
    same(peer.messages(), [])
    peer.exchange(found[-1])
    peer.expect(MSG_PONG)
    alive(peer)


def test_rekey_after_a_time():
    peer = Peer(server(rekey_ms=-1))
    peer.identify()
    peer.exchange()
    same([m[0] for m in peer.messages()], [MSG_EXT_INFO, MSG_KEXINIT])


def test_endless_rekey():
    """A peer that asks for answers and never takes part in the exchange is left."""
    peer = Peer(server(rekey_bytes=0))
    peer.identify()
    peer.exchange()

    def ask():
        for _ in range(300):
            peer.send(PING)

    raises(Disconnect, ask)


def test_out_of_order():
    peer = Peer(server())
    peer.login()
    for message in (byte(MSG_NEWKEYS), byte(MSG_KEX_ECDH_INIT) + string(bytes(32))):
        other = Peer(server())
        other.login()
        raises(Disconnect, other.send, message)
    peer.send(peer.kexinit())
    peer.expect(MSG_KEXINIT)
    raises(Disconnect, peer.send, PING)


def test_unknown_message():
    peer = Peer(server())
    peer.login()
    peer.send(byte(250))
    same(peer.expect(MSG_UNIMPLEMENTED), byte(MSG_UNIMPLEMENTED) + u32(2))
    for number in (MSG_IGNORE, MSG_DEBUG, MSG_UNIMPLEMENTED):
        peer.send(byte(number) + bytes(8))
    same(peer.messages(), [])
    same(peer.send(byte(MSG_DISCONNECT) + u32(11) + string(b"") + string(b"")), False)


def test_stalled_output():
    """Answers that nobody takes stop the handling of requests; later all of them come."""
    peer = Peer(server())
    peer.login()
    peer.pipe.room = 1000
    for _ in range(100):
        peer.queue(byte(MSG_PING) + string(bytes(2000)))
    peer.pipe.incoming += peer._out
    peer._out = bytearray()
    for _ in range(200):
        peer.connection.turn()
    assert len(peer.connection._out) < 70000 and len(peer.pipe.incoming) > 90000
    peer.pipe.room = None
    peer.deliver()
    same(len(peer.messages()), 100)


def test_quota():
    peer = Peer(server(unauthenticated_bytes=3000))
    peer.identify()
    peer.exchange()

    def much():
        for _ in range(100):
            peer.send(byte(MSG_IGNORE) + bytes(100))

    raises(Disconnect, much)
    peer = Peer(server(unauthenticated_bytes=3000))
    peer.login()
    for _ in range(100):
        peer.send(byte(MSG_IGNORE) + bytes(100))


def mutated(data, dice):
    """-> data with something wrong in it."""
    data, at = bytearray(data), dice.randrange(len(data))
    kind = dice.randrange(5)
    if kind == 0:
        data[at] ^= 1 << dice.randrange(8)
    elif kind == 1:
        data = data[:at]
    elif kind == 2:
        data = data[:at] + bytes([dice.randrange(256) for _ in range(dice.randrange(1, 20))]) + data[at:]
    elif kind == 3:
        data[at : at + 4] = bytes((255, 255, 255, 255))[: len(data) - at]
    else:
        data = data[:at] + data[at + dice.randrange(1, 9) :]
    return data


def test_mutated_handshake():
    """Whatever is done to a handshake ends in a Disconnect, in waiting for more, or in nothing bad."""
    dice = random
    dice.seed(1)
    for _ in range(300):
        peer = Peer(server(), CIPHERS[dice.randrange(3)], strict=dice.randrange(2))
        peer.queue(peer.kexinit())
        peer.queue(byte(MSG_KEX_ECDH_INIT) + string(bytes(range(9, 41))))
        peer.queue(byte(MSG_NEWKEYS))
        peer._out = mutated(peer._out, dice)
        try:
            peer.deliver()
        except Disconnect:
            pass
        assert not peer.connection.authenticated


def test_mutated_packets():
    """A packet that is changed behind the keys ends the connection, or is waited for; nothing of it is handled."""
    dice = random
    dice.seed(2)
    for i in range(150):
        peer = Peer(server(), CIPHERS[i % 3])
        peer.login()
        peer.queue(PING)
        changed = mutated(peer._out, dice)
        if changed == peer._out:
            continue
        peer._out = changed
        try:
            peer.deliver()
        except Disconnect:
            pass
        same([m[0] for m in peer.messages() if m[0] == MSG_PONG], [])


def test_mutated_messages():
    """Messages that are nonsense inside good packets: Disconnect, an answer, or silence, never another exception."""
    dice = random
    dice.seed(3)
    good = (
        byte(MSG_GLOBAL_REQUEST) + string(b"tcpip-forward") + b"\1" + string(b"") + u32(0),
        byte(MSG_CHANNEL_OPEN) + string(b"session") + u32(1) + u32(1000) + u32(1000),
        byte(MSG_CHANNEL_OPEN) + string(b"x11") + u32(1) + u32(1000) + u32(1000),
        byte(MSG_CHANNEL_REQUEST) + u32(0) + string(b"pty-req") + b"\1" + string(b"vt100") + u32(80) + u32(24) + u32(0) + u32(0) + string(b"\0"),
        byte(MSG_CHANNEL_REQUEST) + u32(0) + string(b"window-change") + b"\0" + u32(80) + u32(24) + u32(0) + u32(0),
        byte(MSG_CHANNEL_REQUEST) + u32(0) + string(b"env") + b"\1" + string(b"A") + string(b"b"),
        byte(MSG_CHANNEL_REQUEST) + u32(0) + string(b"subsystem") + b"\1" + string(b"sftp"),
        byte(MSG_CHANNEL_REQUEST) + u32(0) + string(b"signal") + b"\0" + string(b"INT"),
        byte(MSG_CHANNEL_REQUEST) + u32(0) + string(b"break") + b"\1" + u32(1),
        byte(MSG_CHANNEL_DATA) + u32(0) + string(b"data"),
        byte(MSG_CHANNEL_EXTENDED_DATA) + u32(0) + u32(1) + string(b"data"),
        byte(MSG_CHANNEL_WINDOW_ADJUST) + u32(0) + u32(1000),
        byte(MSG_CHANNEL_EOF) + u32(0),
        byte(MSG_CHANNEL_CLOSE) + u32(0),
        byte(MSG_USERAUTH_REQUEST) + string(b"me") + string(b"ssh-connection") + string(b"none"),
        byte(MSG_SERVICE_REQUEST) + string(b"ssh-connection"),
        byte(MSG_EXT_INFO) + u32(1) + string(b"a") + string(b"b"),
        PING,
    )
    for i in range(1500):
        if i % 10 == 0:
            peer = Peer(server())
            peer.login()
            peer.open()
        message = good[i % len(good)]
        try:
            peer.send(bytes(mutated(message, dice)) or b"\0" if dice.randrange(4) else message)
            peer.messages()
        except Disconnect:
            peer = Peer(server())
            peer.login()
            peer.open()


run(globals())
