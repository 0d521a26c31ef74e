"""The fixtures library and guest: the emulator's secure processor, compiled for this machine."""

import pytest

import pspc


@pytest.fixture(scope="session")
def library():
    return pspc.load()


@pytest.fixture
def guest(library):
    return pspc.Guest(library)
