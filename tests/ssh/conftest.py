"""Servers on the unix port, and clients of several makes for them. Traffic stays on the loopback."""

import subprocess

import pytest

from served import Served

KEYS = {"ed25519": ("ed25519", None), "ecdsa256": ("ecdsa", 256), "ecdsa384": ("ecdsa", 384), "ecdsa521": ("ecdsa", 521),
        "rsa2048": ("rsa", 2048), "rsa3072": ("rsa", 3072), "rsa1024": ("rsa", 1024)}


@pytest.fixture
def serve(tmp_path):
    """A function that starts a server: serve(keys=None, **limits). -> Served"""
    started = []

    def start(keys=None, **limits):
        started.append(Served(tmp_path, keys, **limits))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One open server for the tests of a file."""
    started = Served(tmp_path_factory.mktemp("ssh"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """{name: path of a private key made by ssh-keygen}"""
    folder = tmp_path_factory.mktemp("keys")
    for name, (kind, bits) in KEYS.items():
        size = ["-b", str(bits)] if bits else []
        subprocess.run(["ssh-keygen", "-q", "-N", "", "-C", f"a {name} key", "-t", kind, *size, "-f", folder / name], check=True)
    return {name: folder / name for name in KEYS}
