"""Who may enter: keys of every kind, options of authorized_keys, and everybody else."""

import pytest

GOOD = ["ed25519", "ecdsa256", "ecdsa384", "ecdsa521", "rsa2048", "rsa3072"]


def public(key):
    return key.with_suffix(".pub").read_text()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, keys):
    """A server with a list of all good keys, and lines that are none."""
    from served import Served

    lines = ["# a comment", "", *(public(keys[name]) for name in GOOD[:-1]), public(keys["rsa1024"]), "ssh-ed25519 AAAA", "nonsense",
             'from="10.0.0.0/8" ' + public(keys["rsa3072"])]
    server = Served(tmp_path_factory.mktemp("guarded"), "\n".join(line.strip() for line in lines))
    yield server
    server.stop()


def enter(server, key, *more):
    return server.ssh("t-width", options=["-i", str(key), *more])


@pytest.mark.parametrize("name", GOOD[:-1])
def test_good(guarded, keys, name):
    done = enter(guarded, keys[name])
    assert (done.returncode, done.stdout) == (0, b"width 0\n"), done


@pytest.mark.parametrize("algorithm", ["rsa-sha2-256", "rsa-sha2-512"])
def test_rsa_algorithms(guarded, keys, algorithm):
    assert enter(guarded, keys["rsa2048"], "-o", f"PubkeyAcceptedAlgorithms={algorithm}").returncode == 0


def test_refused(guarded, keys):
    """Not in: no key, one that is not listed, one too small, one behind an option that is not kept, RSA with SHA-1."""
    assert guarded.ssh("t-width").returncode == 255
    for name in ("rsa1024", "rsa3072"):
        done = enter(guarded, keys[name], "-o", "LogLevel=INFO")
        assert done.returncode == 255 and b"Permission denied (publickey)" in done.stderr, done
    assert enter(guarded, keys["rsa2048"], "-o", "PubkeyAcceptedAlgorithms=ssh-rsa").returncode == 255
    for method in ("password", "keyboard-interactive", "hostbased"):
        assert guarded.ssh("t-width", options=["-o", f"PreferredAuthentications={method}"]).returncode == 255
    assert enter(guarded, keys["ed25519"]).returncode == 0


def test_warnings(guarded):
    """Each line that is no key is named once on the console."""
    log = guarded.log.read_text()
    assert "keys SHA256:" in log
    warnings = [line for line in log.splitlines() if "is no key" in line]
    assert len(warnings) == 4, log
    assert "line 8 is no key: RSA key of under 2048" in warnings[0] and "option from is not supported" in warnings[3]


def test_many_wrong_ones(guarded, keys):
    """An agent's other keys come first and do no harm."""
    wrong = [word for name in ("rsa1024", "rsa3072") for word in ("-i", str(keys[name]))]
    assert enter(guarded, keys["ed25519"], *wrong[:2]).returncode == 0


def test_options(serve, keys):
    server = serve(f'command="t-print 1" {public(keys["ed25519"])}restrict {public(keys["ecdsa256"])}restrict,pty {public(keys["ecdsa384"])}')
    done = server.ssh("t-width", options=["-i", str(keys["ed25519"])])
    assert done.stdout == b"line 0\n"
    done = server.ssh(options=["-T", "-i", str(keys["ed25519"])], input=b"t-width\n")
    assert done.stdout == b"line 0\n"
    done = server.ssh("t-width", options=["-tt", "-o", "LogLevel=INFO", "-i", str(keys["ecdsa256"])])
    assert b"PTY allocation request failed" in done.stderr
    done = server.ssh("t-width", options=["-tt", "-o", "LogLevel=INFO", "-i", str(keys["ecdsa384"])])
    assert b"PTY allocation" not in done.stderr and done.returncode == 0


@pytest.mark.parametrize("text", ["", "nonsense\n", "# nothing\n"])
def test_no_good_key(serve, text):
    """A list without a good key lets nobody in: it is not as good as none."""
    server = serve(text)
    assert server.ssh("t-width").returncode == 255
    assert "nobody can log in" in server.log.read_text()
