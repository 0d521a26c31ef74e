"""Fixtures of the tests whose machine is on a wire with somebody else.

wire    a machine whose card is a tap on a Cable: the kernel's own networking is the peer, in a namespace, with partial
        checksums and whatever else a tap and the card agree on
raw     a machine whose card ends in this process: hand-made frames (`raw.peer`), and through a Relay that makes trouble
        (`raw.relay`) again the kernel's networking in a namespace

Both have .vm (at the shell's prompt), .host (the namespace where the machine's peer at 10.0.0.2 and fd00::2 is), and serve
what services.py says. One machine each serves all tests; after a test that failed it starts anew. No root: skipped.
"""

import pathlib
import shutil
import tempfile

import pytest

import netns
import qemu
from peer import Peer
from relay import Relay, Trouble
from rig import Rig


def _rig_or_skip(make):
    if not (qemu.BUILD / "keelback.efi").exists():
        pytest.fail("no keelback.efi; make efi builds it", pytrace=False)
    if netns.why():
        pytest.skip(netns.why())
    folder = pathlib.Path(tempfile.mkdtemp(prefix="keelback-wire-"))
    try:
        yield from make(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _wire():
    def make(folder):
        with netns.Cable() as cable:
            rig = Rig(folder, cable.host, net=f"tap:{netns.TAP}", prefix=cable.switch.prefix)
            rig.cable = cable
            yield rig
            rig.close_machine()
    yield from _rig_or_skip(make)


@pytest.fixture(scope="session")
def _raw():
    def make(folder):
        with netns.Namespace() as host, Peer(folder) as peer:
            rig = Rig(folder, host, net=peer.net)
            rig.peer, rig.relay = peer, Relay(peer, host)
            yield rig
            rig.close_machine()
            rig.relay.close()
    yield from _rig_or_skip(make)


def _lent(request, rig):
    """Lend a rig to a test; after a failure or a machine that is not well, the next one gets a new one."""
    if not rig.vm:
        rig.start()
    failures = request.session.testsfailed
    yield rig
    if request.session.testsfailed != failures:
        rig.close_machine()
        rig.vm = None


@pytest.fixture
def wire(request, _wire):
    yield from _lent(request, _wire)


@pytest.fixture
def raw(request, _raw):
    yield from _lent(request, _raw)
    _raw.relay.trouble(Trouble())
    _raw.peer.record(None)
