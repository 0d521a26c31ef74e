"""net/dns.py: against a name server on the loopback that is good, slow, broken or forged."""

import asyncio

from check import raises, run, same
from nameserver import Server, answer
from net import dns
from net.dnswire import A, AAAA

V4 = bytes((142, 251, 209, 17))
V6 = bytes.fromhex("2a001450400204100000000000002011")
DEAD = ("127.0.0.1", 9)  # nobody is there
dns._WAITS_MS = (150, 300)


def resolve(reply, host="golang.org", servers=None):
    """-> (what resolve() gives or the text of its error, what the server was asked)."""

    async def main():
        async with Server(reply) as server:
            where = [server.address if s is None else s for s in servers or [None]]
            try:
                return await dns.resolve(host, where), server.asked
            except (dns.DNSError, ValueError) as e:
                return str(e), server.asked

    return asyncio.run(main())


def good(message, name, kind, tcp):
    return answer(message, [(A, V4)] if kind == A else [(AAAA, V6)])


def test_both_kinds_ipv4_first():
    addresses, asked = resolve(good)
    same(addresses, ["142.251.209.17", "2a00:1450:4002:410::2011"])
    same(sorted(asked), [("golang.org", A, False), ("golang.org", AAAA, False)])


def test_all_addresses_each_once():
    def reply(message, name, kind, tcp):
        return answer(message, [(A, V4), (A, b"\1\2\3\4"), (A, V4)] if kind == A else [])

    same(resolve(reply)[0], ["142.251.209.17", "1.2.3.4"])


def test_addresses_answer_themselves():
    same(resolve(good, "10.1.2.3"), (["10.1.2.3"], []))
    same(resolve(good, "2001:DB8:0::1"), (["2001:db8::1"], []))
    same(resolve(good, "LocalHost."), (["127.0.0.1", "::1"], []))


def test_names_that_are_none():
    for host in ("", "a..b", "bücher.de", "a" * 64, "two words"):
        text, asked = resolve(good, host)
        assert isinstance(text, str) and not asked, text


def test_no_such_name_and_no_address():
    same(resolve(lambda m, *_: answer(m, rcode=3))[0], "golang.org: no such name")
    same(resolve(lambda m, *_: answer(m))[0], "golang.org: has no address")


def test_no_servers():
    async def main():
        await dns.resolve("golang.org", [])

    same(str(raises(dns.DNSError, asyncio.run, main())), "no name servers")


def test_silence():
    text, asked = resolve(lambda *_: None)
    same(text, "golang.org: no answer from any name server")
    same(len(asked), 4)  # two rounds, two kinds


def test_lost_datagrams_are_asked_again():
    seen = []

    def reply(message, name, kind, tcp):
        seen.append(kind)
        return good(message, name, kind, tcp) if seen.count(kind) == 2 else None

    same(len(resolve(reply)[0]), 2)


def test_next_server():
    same(len(resolve(good, servers=[DEAD, None])[0]), 2)
    failing = []

    def reply(message, name, kind, tcp):
        failing.append(1)
        return answer(message, rcode=2 if len(failing) <= 2 else 0, records=[] if len(failing) <= 2 else [(kind, V4 if kind == A else V6)])

    same(len(resolve(reply, servers=[None, None])[0]), 2)
    same(resolve(lambda m, *_: answer(m, rcode=5))[0], "golang.org: name server 127.0.0.1 says that it refuses")


def test_one_kind_alone_is_enough():
    same(resolve(lambda m, n, kind, t: good(m, n, kind, t) if kind == A else answer(m, rcode=2))[0], ["142.251.209.17"])
    same(resolve(lambda m, n, kind, t: good(m, n, kind, t) if kind == AAAA else None)[0], ["2a00:1450:4002:410::2011"])


def test_forged_answers_are_passed_over():
    def reply(message, name, kind, tcp):
        right = good(message, name, kind, tcp)
        wrong_id = bytes((right[0] ^ 1,)) + right[1:]
        wrong_name = right[:13] + b"h" + right[14:]
        return [wrong_id, wrong_name, message, right[:20], b"", right + b"x", right]

    same(resolve(reply)[0], ["142.251.209.17", "2a00:1450:4002:410::2011"])


def test_truncated_over_tcp():
    def reply(message, name, kind, tcp):
        return good(message, name, kind, tcp) if tcp else answer(message, flags=0x8380)

    addresses, asked = resolve(reply)
    same(len(addresses), 2)
    same(len([1 for _, _, tcp in asked if tcp]), 2)


def test_tcp_that_fails():
    for broken in (b"", b"\0" * 12, None):
        same(resolve(lambda m, n, k, tcp: broken if tcp else answer(m, flags=0x8380))[0], "golang.org: no answer from any name server")


def test_many_addresses_over_tcp():
    def reply(message, name, kind, tcp):
        if kind == AAAA:
            return answer(message)
        return answer(message, [(A, bytes((10, 0, i >> 8, i & 255))) for i in range(400)]) if tcp else answer(message, flags=0x8380)

    same(len(resolve(reply)[0]), 400)


def test_server_without_edns():
    def reply(message, name, kind, tcp):
        if message[11]:
            return message[:2] + b"\x81\x81" + bytes(8)  # FORMERR, a header alone
        return answer(message, [(kind, V4 if kind == A else V6)], opt=False)

    same(len(resolve(reply)[0]), 2)


def test_aliases_that_the_server_does_not_follow():
    def reply(message, name, kind, tcp):
        if name == "golang.org":
            return answer(message, [(5, b"\x03www\xc0\x0c")])
        return good(message, name, kind, tcp)

    addresses, asked = resolve(reply)
    same(len(addresses), 2)
    assert ("www.golang.org", A, False) in asked
    same(resolve(lambda m, *_: answer(m, [(5, b"\x01a\xc0\x0c")]))[0][:12], "golang.org: ")


def test_servers_of():
    same(dns.servers_of("1.1.1.1,2606:4700::1111, 10.0.0.2#5353"), [("1.1.1.1", 53), ("2606:4700::1111", 53), ("10.0.0.2", 5353)])
    same(dns.servers_of(""), [])
    for wrong in ("one.one", "1.1.1.1#", "1.1.1.1#x", "1.1.1.1#0", "1.1.1.1#65536", "1.1.1.1:53", "1.1.1.1##3", "1.1.1.1#-1"):
        raises(ValueError, dns.servers_of, wrong)


run(globals())
