"""sev/evidence.py: what is taken from whom, and what is asked of the server. Judged as a whole: tests/sev/test_command.py."""

import asyncio

import snpreport
from check import run, same
from sev import policy, report
from sev.evidence import Evidence


class Failed:
    """A judgment in which these checks failed."""

    def __init__(self, *names):
        self.names = names

    def failed(self, *names):
        return bool([name for name in names if name in self.names])


def fetched(data, *failed, answers=None, kds="http://k", evidence=None):
    """-> (addresses that were asked for, did anything come, the Evidence)"""
    asked = []

    async def fetch(address):
        asked.append(address[len(kds) :].partition("?")[0])
        if answers is not None and len(asked) > answers:
            raise OSError("no answer")
        return b"0" + address.encode()

    evidence = evidence or Evidence()
    came = asyncio.run(evidence.fetch(report.parse(data), Failed(*failed), policy.parse("kds = " + kds), fetch))
    return asked, came, evidence


def test_what_is_asked_for():
    chip = snpreport.CHIP.hex()
    vcek, chain, crl = "/vcek/v1/Milan/" + chip, "/vcek/v1/Milan/cert_chain", "/vcek/v1/Milan/crl"
    same(fetched(snpreport.make(), "chain")[0], [vcek, chain, crl])
    for name in ("chain", "product", "signature", "certificate's TCB", "hardware id"):
        same(fetched(snpreport.make(), name)[0], [vcek, chain, crl])
    for name in ("debug", "measurement", "root", "validity"):  # no certificate changes that
        same(fetched(snpreport.make(), name)[0], [crl])
    same(fetched(snpreport.make(version=2), "chain")[0][0], vcek)
    same(fetched(snpreport.turin(), "chain")[0], ["/vcek/v1/Turin/" + chip[:16], "/vcek/v1/Turin/cert_chain", "/vcek/v1/Turin/crl"])
    same(fetched(snpreport.make(key_info=4), "chain")[0], ["/vlek/v1/Milan/cert_chain", "/vlek/v1/Milan/crl"])


def test_a_list_is_enough():
    evidence = Evidence()
    evidence.add_file("own.crl", b"0list")
    same(fetched(snpreport.make(), evidence=evidence)[:2], ([], False))


def test_a_server_that_stops():
    """It is asked for nothing more; what came before counts."""
    asked, came, evidence = fetched(snpreport.make(), "chain", answers=0)
    same((len(asked), came, evidence.certificates), (1, False, []))
    assert evidence.sources[0].endswith(": no answer")
    asked, came, evidence = fetched(snpreport.make(), "chain", answers=1)
    same((len(asked), came, len(evidence.certificates), len(evidence.sources)), (2, True, 1, 2))


def test_masked_chip():
    """AMD's server cannot be asked; that is one line."""
    asked, came, evidence = fetched(snpreport.make(chip_id=bytes(64)), "chain")
    same((asked, came), ([], False))
    assert "masked" in evidence.sources[0], evidence.sources


def test_sources():
    evidence = Evidence()
    evidence.add_table(b"")
    evidence.add_table(b"\xff" * 30)
    evidence.add_file("a.der", b"0same")
    evidence.add_file("b.der", b"0same")  # once is enough
    evidence.add_file("c.pem", b"\xff")
    evidence.add_file("old_CRL.der", b"0list")
    same((evidence.certificates, evidence.crls), ([b"0same"], [b"0list"]))
    same(evidence.sources, ["the host's table: certificate table has no end", "a.der", "b.der", "c.pem: neither DER nor PEM", "old_CRL.der"])


run(globals())
