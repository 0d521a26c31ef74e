"""A wire on which frames are lost, doubled, overtaken, late, changed or slowed down: everything still arrives, the same.

Once with the relay, which makes the same trouble in both directions on every kernel, and once with `tc netem` at the host
where the kernel has it.
"""

import pytest

import netns
from relay import Trouble
from rig import BOTH
from test_ping import ping
from traffic import download, echo, udp_echo, upload

SIZE = 300000
TROUBLES = {
    "loss": Trouble(loss=0.03, seed=1),
    "duplication": Trouble(duplicate=0.2, seed=2),
    "reordering": Trouble(reorder=0.1, hold=0.004, seed=3),
    "delay": Trouble(delay=0.02, jitter=0.01, seed=4),
    "corruption": Trouble(corrupt=0.02, seed=5),
    "a slow line": Trouble(rate=400e3, seed=6),
    "all of it": Trouble(loss=0.01, duplicate=0.02, reorder=0.05, corrupt=0.01, delay=0.005, jitter=0.005, seed=7),
}
NETEM = {
    "loss": ["loss", "3%"], "duplication": ["duplicate", "20%"], "reordering": ["delay", "5ms", "reorder", "75%", "50%"],
    "delay": ["delay", "20ms", "10ms"], "corruption": ["corrupt", "2%"], "a slow line": ["rate", "3200kbit"],
}


def exchange(rig, address):
    upload(rig.host, address, SIZE)
    download(rig.host, address, SIZE)
    echo(rig.host, address, bytes(range(256)) * 64, 4096)
    assert udp_echo(rig.host, address, b"datagram", tries=20, limit=0.5)


@pytest.mark.parametrize("address", BOTH)
@pytest.mark.parametrize("name", TROUBLES)
def test_relay(raw, name, address):
    raw.relay.trouble(TROUBLES[name])
    exchange(raw, address)
    counts = raw.relay.trouble(Trouble())
    happened = {what for count in counts for what, n in count.items() if n} - {"in"}
    wanted = {"loss": "lost", "duplicate": "duplicated", "reorder": "reordered", "corrupt": "corrupted"}
    assert happened >= {what for field, what in wanted.items() if getattr(TROUBLES[name], field)}, counts
    assert ping(raw, address, "-c3", "-i0.01") == (3, 3)


@pytest.fixture(scope="module")
def netem():
    """Skip where the kernel has no netem, before a machine is started for it."""
    if netns.why():
        pytest.skip(netns.why())
    with netns.Namespace() as namespace:
        made = namespace.run("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms", check=False)
    if made.returncode:
        pytest.skip(f"no netem in this kernel ({made.stderr.strip()}); test_relay makes the same trouble")


def test_netem(netem, wire):
    for name, words in NETEM.items():
        wire.host.run("tc", "qdisc", "replace", "dev", "eth0", "root", "netem", *words)
        try:
            for address in BOTH:
                exchange(wire, address)
        except AssertionError as e:
            raise AssertionError(f"with {name}: {e}")
        finally:
            wire.host.run("tc", "qdisc", "del", "dev", "eth0", "root")
