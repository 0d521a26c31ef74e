#!/usr/bin/env python3
"""Make the test identity of the SEV-SNP emulator: AMD's three keys for a Milan, a Genoa and a Turin, certificates, revocation lists.

    snpidentity.py OUT

Keys are made once and kept in OUT/keys; what they sign is made anew each time. For who judges: OUT/PRODUCT/*.der and *.pem, and
OUT/identity.json with chip ids, TCBs and the SHA-256 of each root's public key; OUT/PRODUCT/policy.cfg for sev-report verify. For the emulator: OUT/identity.c.
openssl makes the keys and signs; dermake.py writes. Products share ASK, ASVK, VCEK and VLEK keys, not the ARK's: roots are told apart by them.
Source: VCEK Certificate and KDS Interface Specification (57230), 3; the forms of AMD's own certificates.
"""

import base64
import concurrent.futures
import datetime
import hashlib
import json
import pathlib
import subprocess
import sys
import textwrap

import dermake
from dermake import integer, name, sequence, value

PRODUCTS = {  # family 19h: boot loader, TEE, SNP, microcode; Turin has an FMC before them
    "Milan": {"boot_loader": 4, "tee": 0, "snp": 24, "microcode": 219},
    "Genoa": {"boot_loader": 10, "tee": 0, "snp": 23, "microcode": 84},
    "Turin": {"fmc": 1, "boot_loader": 1, "tee": 1, "snp": 4, "microcode": 71},
}
TCB_BYTES = {"Turin": ("fmc", "boot_loader", "tee", "snp", None, None, None, "microcode")}
CLASSIC_BYTES = ("boot_loader", "tee", None, None, None, None, "snp", "microcode")
PROVIDER = b"Emulated Cloud"
TRAILER = dermake.pss(trailer=dermake.context(3, integer(1)))  # AMD's roots write the default
AUTHORITY_YEARS = ("201022182312Z", "451022182312Z")
LEAF_YEARS = 7
RSA_KEYS = ("ark-Milan", "ark-Genoa", "ark-Turin", "ask", "asvk")
EC_KEYS = ("vcek", "vlek")
SERIALS = {"ark": 0x10001, "ask": 0x10002, "asvk": 0x10003}


def openssl(*arguments, data=None):
    """Run openssl -> what it printed; ends with its words if it fails."""
    try:
        done = subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True)
    except FileNotFoundError:
        sys.exit("snpidentity: there is no program openssl")
    if done.returncode:
        sys.exit(f"snpidentity: openssl {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Keys:
    """The private keys, in files of a folder."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(self._make, RSA_KEYS + EC_KEYS))

    def path(self, key):
        return self.folder / f"{key}.pem"

    def _make(self, key):
        if self.path(key).exists():
            return
        options = ("RSA", "rsa_keygen_bits:4096") if key in RSA_KEYS else ("EC", "ec_paramgen_curve:P-384")
        made = self.path(key).with_suffix(".new")
        openssl("genpkey", "-algorithm", options[0], "-pkeyopt", options[1], "-out", made)
        made.rename(self.path(key))

    def spki(self, key):
        """-> SubjectPublicKeyInfo, DER."""
        return openssl("pkey", "-in", self.path(key), "-pubout", "-outform", "DER")

    def scalar(self, key):
        """-> the private number of an EC key, 48 bytes."""
        der = openssl("ec", "-in", self.path(key), "-outform", "DER")
        at = der.index(b"\x02\x01\x01\x04\x30") + 5
        return der[at : at + 48]

    def signer(self, key):
        """-> a function that signs as AMD does: RSASSA-PSS, SHA-384, salt of 48 bytes."""
        options = ("rsa_padding_mode:pss", "rsa_pss_saltlen:48", "rsa_mgf1_md:sha384")
        return lambda body: openssl("dgst", "-sha384", "-sign", self.path(key), *[w for o in options for w in ("-sigopt", o)], data=body)


def leaf_validity(days_before=1):
    now = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0) - datetime.timedelta(days_before)
    day = min(now.day, 28)
    return [now.replace(year=now.year + years, day=day).strftime("%y%m%d%H%M%SZ") for years in (0, LEAF_YEARS)]


def validity(times):
    return sequence(*[value(23, time.encode()) for time in times])


class Chip:
    """What the certificates of a product state. tcb: the 8 bytes of a report; id: its 64 bytes."""

    def __init__(self, product, seed):
        self.product = product
        self.parts = PRODUCTS[product]
        self.tcb = bytes(self.parts[part] if part else 0 for part in TCB_BYTES.get(product, CLASSIC_BYTES))
        self.id_len = 8 if product == "Turin" else 64
        self.id = hashlib.sha512(seed).digest()[: self.id_len].ljust(64, b"\0")

    def extensions(self, vlek):
        last = ("5", value(22, PROVIDER)) if vlek else ("4", self.id[: self.id_len])
        if self.product == "Turin":
            return dermake.turin(**self.parts, last=last)
        return dermake.milan(**self.parts, name=b"Milan-B0" if self.product == "Milan" else self.product.encode(), last=last)


def authority(keys, product, subject, key, extensions):
    ark = f"ark-{product}"
    return dermake.certificate(subject, keys.spki(key), keys.signer(ark), issuer=name(f"ARK-{product}"), extensions=extensions,
                               serial=integer(SERIALS[key.split("-")[0]]), validity=validity(AUTHORITY_YEARS), algorithm=TRAILER)


def revocations(keys, product, serials):
    times = [value(23, time.encode()) for time in leaf_validity()]
    return dermake.crl([integer(n) for n in serials], keys.signer(f"ark-{product}"), issuer=name(f"ARK-{product}"), dates=b"".join(times))


def certificates(keys, chip):
    """-> {name of a file without its ending: DER}."""
    product = chip.product
    made = {
        "ark": authority(keys, product, f"ARK-{product}", f"ark-{product}", dermake.CA),
        "ask": authority(keys, product, f"SEV-{product}", "ask", dermake.ASK),
        "asvk": authority(keys, product, f"SEV-VLEK-{product}", "asvk", dermake.ASK),
        "crl": revocations(keys, product, ()),
        "crl_revoked": revocations(keys, product, (SERIALS["ask"], SERIALS["asvk"])),
    }
    for leaf, by, issuer in (("vcek", "ask", f"SEV-{product}"), ("vlek", "asvk", f"SEV-VLEK-{product}")):
        made[leaf] = dermake.certificate(f"SEV-{leaf.upper()}", keys.spki(leaf), keys.signer(by), issuer=name(issuer),
                                         extensions=chip.extensions(leaf == "vlek"), validity=validity(leaf_validity()))
    return made


def pem(kind, der):
    return f"-----BEGIN {kind}-----\n" + "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64)) + f"\n-----END {kind}-----\n"


def write_files(folder, made):
    """For judges: each in DER and PEM, and the chains as AMD's server has them."""
    folder.mkdir(exist_ok=True)
    for file, der in made.items():
        (folder / f"{file}.der").write_bytes(der)
        (folder / f"{file}.pem").write_text(pem("X509 CRL" if file.startswith("crl") else "CERTIFICATE", der))
    for chain, authority_ in (("cert_chain.pem", "ask"), ("vlek_cert_chain.pem", "asvk")):
        (folder / chain).write_text(pem("CERTIFICATE", made[authority_]) + pem("CERTIFICATE", made["ark"]))


def c_bytes(data):
    return "\n".join(textwrap.wrap(", ".join(f"{byte}" for byte in data), 140))


def c_file(chips, keys):
    """-> the text of identity.c. chips: [(Chip, {name: DER})]."""
    parts = ["// The emulator's test identity, made by tools/snpidentity.py.\n", '#include "sev/emulator/psp_identity.h"\n']
    rows, order = [], ("ark", "ask", "vcek", "asvk", "vlek", "crl", "crl_revoked")
    for chip, made in chips:
        for file in order:
            parts.append(f"static const uint8_t {chip.product}_{file}[] = {{\n{c_bytes(made[file])}\n}};\n")
        fields = [f'"{chip.product}"', *[f"{{ {c_bytes(data)} }}" for data in (chip.tcb, chip.id, keys.scalar("vcek"), keys.scalar("vlek"))],
                  *[f"{{ {chip.product}_{file}, sizeof({chip.product}_{file}) }}" for file in order]]
        rows.append("{\n" + ",\n".join(fields) + "\n}")
    parts.append("const psp_identity_t psp_identities[PSP_PRODUCTS] = {\n" + ",\n".join(rows) + "\n};\n")
    return "\n".join(parts)


def main(out):
    out = pathlib.Path(out)
    keys = Keys(out / "keys")
    known, chips = {}, []
    for product in PRODUCTS:
        spki = keys.spki(f"ark-{product}")
        chip = Chip(product, spki)
        made = certificates(keys, chip)
        write_files(out / product.lower(), made)
        root = hashlib.sha256(spki).hexdigest()
        (out / product.lower() / "policy.cfg").write_text(f"# Believe the emulator: this root is not AMD's.\nroot = {root}\n")
        chips.append((chip, made))
        known[product] = {"root": root, "chip_id": chip.id.hex(), "tcb": chip.tcb.hex(), "parts": chip.parts,
                          "provider": PROVIDER.decode()}
    (out / "identity.json").write_text(json.dumps(known, indent=1) + "\n")
    (out / "identity.c").write_text(c_file(chips, keys))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
