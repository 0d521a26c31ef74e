"""The fixtures judge and amd: sev/verify.py, with a test's roots and with AMD's."""

import pytest

import guestside
import identity
from judges import Judge


@pytest.fixture
def judge(tmp_path):
    """With the test's own root, for three products."""
    return lambda product="Milan": Judge(tmp_path / "job.json", {identity.pin(): product})


@pytest.fixture
def amd(tmp_path):
    """With AMD's roots."""
    return Judge(tmp_path / "job.json")


@pytest.fixture(scope="session")
def guest_library(tmp_path_factory):
    """boot/'s guest side, compiled for this host; compiling takes two seconds."""
    return guestside.GuestSide(tmp_path_factory.mktemp("guestside"))


@pytest.fixture
def m(guest_library):
    """The same, started anew."""
    guest_library.restart()
    return guest_library
