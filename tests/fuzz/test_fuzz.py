"""A fixed number of rounds of each fuzzer, from fixed seeds; `make fuzz` runs them on."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import guided  # noqa: E402
import run  # noqa: E402

pytestmark = pytest.mark.xdist_group("fuzz")


def test_lying_card():
    """A virtio card that lies in registers, rings, headers and capabilities."""
    status, printed = run.lying_card(1, 40_000)
    assert status == 0, printed


def test_messages():
    """Answers of name and time servers, sound and damaged."""
    status, printed = run.messages(1, 60_000)
    assert status == 0, printed


def test_http_requests():
    """Clients of the HTTP server."""
    status, printed = run.http_requests(1, 6000)
    assert status == 0, printed


def test_sev_replies():
    """Guest messages, secrets and CPUID pages, sound and damaged; hosts that lie."""
    status, printed = run.sev_replies(1, 6000)
    assert status == 0, printed


def test_attestation():
    """Reports, certificates, tables, PEM and policies, sound and damaged."""
    status, printed = run.attestation(1, 4000)
    assert status == 0, printed


def test_psp():
    """Guest messages of every kind to the emulator's secure processor; it refuses without a trace, and answers good ones."""
    run.build_psp()
    status, printed = run.psp(1, 60)
    assert status == 0, printed


def test_frames():
    """Frames of every kind into the network stack; it lives, answers and forgets."""
    run.build_frames()
    status, printed = run.frames(1, 150)
    assert status == 0, printed


def test_lying_host():
    """Hosts that lie in answers, exceptions and page states, damaged CPUID pages: boot/ takes no harm, and does not go on with it."""
    run.build_lying_host()
    status, printed = run.lying_host(1, 1500)
    assert status == 0, printed


@pytest.mark.parametrize("name", guided.TARGETS)
def test_guided(name):
    """What libFuzzer makes up for each of its targets, and coverage guides; no target is blind to coverage."""
    guided.make(name)
    status, printed = guided.once(name)
    assert status == 0, printed
    assert guided.coverage(printed) >= guided.TARGETS[name].edges, printed
