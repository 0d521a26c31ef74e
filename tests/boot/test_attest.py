"""Attestation of a machine on the emulator: `sev-report verify` with files, a server and lies; the SSH host key over boots, and who vouches for it."""

import base64
import contextlib
import functools
import http.server
import json
import re
import ssl
import subprocess
import threading

import pytest

import qemu
import sshclient
from tls_peers import authority, certificate

IDENTITY = qemu.BUILD / "snpemu" / "identity"
NET = "net-virtio 10.0.0.1 255.255.255.0 10.0.0.2"
MEASUREMENT = "5a" * 48
LIMIT = 60  # s


def known(product="Genoa"):
    return json.loads((IDENTITY / "identity.json").read_text())[product]


def policy(*lines, product="Genoa"):
    return "\n".join([f"root = {known(product)['root']}", f"measurement = {MEASUREMENT}", *lines]) + "\n"


def last(text):
    return text.strip().split("\n")[-1]


def checks(text):
    return {label.rstrip(" ."): value for label, value in re.findall(r"^(.{20}): (.*)$", text, re.M)}


@contextlib.contextmanager
def key_server(folder, product="Genoa", tls=True):
    """Serve what AMD's key server has, of the emulator's identity; yields (address for the machine, the paths that were asked for)."""
    asked, pinned = [], known(product)
    parts = "&".join(f"{name}={pinned['parts'][part]:02d}" for part, name in (("fmc", "fmcSPL"), ("boot_loader", "blSPL"), ("tee", "teeSPL"),
                                                                             ("snp", "snpSPL"), ("microcode", "ucodeSPL")) if part in pinned["parts"])
    chip = pinned["chip_id"][:16] if product == "Turin" else pinned["chip_id"]
    files = {f"/vcek/v1/{product}/{chip}?{parts}": "vcek.der", f"/vcek/v1/{product}/cert_chain": "cert_chain.pem", f"/vcek/v1/{product}/crl": "crl.der"}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            name = files.get(self.path)
            self.send_response(200 if name else 404)
            self.end_headers()
            if name:
                self.wfile.write((IDENTITY / product.lower() / name).read_bytes())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        authority(folder, "ca")
        certificate(folder, "ecdsa")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "ecdsa.pem", folder / "ecdsa.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http{'s' if tls else ''}://10.0.0.2:{server.server_address[1]}", asked
    finally:
        server.shutdown()


def test_with_what_the_host_brings(boot_snp):
    """The host's own table and list of the revoked."""
    machine = boot_snp("certs=crl", f"measurement={MEASUREMENT}", files={"attest/policy.cfg": policy()})
    text = machine.command("sev-report verify", LIMIT)
    assert last(text) == "Verification succeeded under a root that is NOT AMD's", text
    assert checks(text)["Certificates of"] == "the host's table" and checks(text)["Measurement"] == f"ok ({MEASUREMENT})"


@pytest.mark.parametrize("settings, error", [
    (["certs=revoked"], "revocation (SEV-Genoa)"),
    (["certs=damaged"], "chain (SEV-VCEK is not signed by SEV-Genoa)"),
    (["policy=0xb0000"], "debug (allowed)"),
])  # fmt: skip
def test_what_must_fail(boot_snp, settings, error):
    machine = boot_snp(*settings, f"measurement={MEASUREMENT}", files={"attest/policy.cfg": policy()})
    text = machine.command("sev-report verify", LIMIT)
    assert last(text) == f"Verification error, {error}", text


def test_files_of_a_turin_and_its_vlek(boot_snp):
    """The host brings nothing: certificates of the boot volume, in PEM and DER; a report signed by a VLEK names its provider."""
    turin = IDENTITY / "turin"
    files = {"attest/policy.cfg": policy("vmpl = 0", "provider = Emulated Cloud", "product = Turin", product="Turin"),
             "attest/chain.pem": (turin / "vlek_cert_chain.pem").read_bytes(), "attest/vlek.der": (turin / "vlek.der").read_bytes(),
             "attest/crl.pem": (turin / "crl.pem").read_bytes()}
    machine = boot_snp("certs=empty", "product=turin", "vlek=yes", f"measurement={MEASUREMENT}", files=files)
    text = machine.command("sev-report verify", LIMIT)
    assert last(text) == "Verification succeeded under a root that is NOT AMD's", text
    assert checks(text)["Chain"] == "ok (SEV-VLEK < SEV-VLEK-Turin < ARK-Turin)" and checks(text)["Provider"] == "ok (Emulated Cloud)"


def test_server(boot_snp, tmp_path):
    """Over HTTPS, from a server that proves nothing itself; and only once a network is up."""
    with key_server(tmp_path) as (address, asked):
        machine = boot_snp("certs=empty", f"measurement={MEASUREMENT}", files={"attest/policy.cfg": policy(f"kds = {address}")}, net="user")
        text = machine.command("sev-report verify", LIMIT)
        assert last(text) == "Verification error, chain (no certificate of SEV-VCEK)" and not asked
        assert "initialized" in machine.command(NET)
        text = machine.command("sev-report verify", LIMIT)
        assert last(text) == "Verification succeeded under a root that is NOT AMD's", text
        assert len(asked) == 3 and re.findall(r"^Certificates of .*: (.*)$", text, re.M) == [address + path for path in asked]


def host_key(port):
    """Return the SHA-256 of the host key that OpenSSH's ssh-keyscan sees, in base64 as ssh-keygen shows it, and in bytes."""
    line = subprocess.run(["ssh-keyscan", "-T", "30", "-p", str(port), "-t", "ecdsa", "127.0.0.1"], capture_output=True, text=True, timeout=LIMIT).stdout
    shown = subprocess.run(["ssh-keygen", "-l", "-f", "-"], input=line, capture_output=True, text=True, timeout=LIMIT).stdout.split()[1]
    return shown, base64.b64decode(shown.removeprefix("SHA256:") + "=")


def test_ssh_host_key(boot_snp):
    """The same after a reboot, another for another measurement; what SSH shows is what the report says, asked over that very connection."""
    keys = []
    for measurement in ("11" * 48, "11" * 48, "22" * 48):
        port = qemu.free_forwards({22: 0})[22]
        machine = boot_snp(f"measurement={measurement}", net="user", forwards={22: port})
        assert "initialized" in machine.command(NET + " debug", LIMIT)
        ask = functools.partial(subprocess.run, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL)
        report = bytes.fromhex(ask([*sshclient.command(port), "sev-report", "raw", "ssh", "data", "77" * 32]).stdout.strip())
        shown, digest = host_key(port)
        assert (report[0x50:0x70], report[0x70:0x90], report[0x90:0xC0].hex()) == (digest, b"\x77" * 32, measurement)
        assert re.search(r"^SSH host key \.*: (.*)$", machine.command("net"), re.M)[1] == shown
        keys.append(shown)
        machine.kill()
    assert keys[0] == keys[1] != keys[2]
