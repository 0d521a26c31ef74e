"""What a report is judged by: certificates and lists from the host's table, from files, and, if these do not do, from AMD's server.

Nobody who brings them need be trusted (sev/verify.py), so whatever cannot be read is noted and passed over. Fetching
arrives as a coroutine function: fetch(address) -> bytes, OSError with one line.
"""

# SPDX-License-Identifier: BSD-3-Clause

from sev import certs, pem, verify
from sev.report import VLEK

_UNFIT = ("chain", "product", "signature", "certificate's TCB", "hardware id")  # checks that other certificates could pass


class Evidence:
    """certificates, crls: bytes of each; sources: texts, where they came from or why nothing did."""

    def __init__(self):
        self.certificates = []
        self.crls = []
        self.sources = []

    def add_table(self, data):
        """Take what is in the host's certificate table, a private copy of it."""
        try:
            found, lists = certs.from_table(data), certs.crls_from_table(data)
        except ValueError as e:
            self.sources.append("the host's table: %s" % e)
            return
        self._take("the host's table", found, lists)

    def add_file(self, name, data):
        """Take a file: certificates, or revocation lists if its name has `crl` in it, in PEM or DER."""
        try:
            found, lists = ([], certs.load(data, pem.CRL)) if "crl" in name.lower() else (certs.load(data), [])
        except ValueError as e:
            self.sources.append("%s: %s" % (name, e))
            return
        self._take(name, found, lists)

    def _take(self, source, found, lists):
        self.certificates += [one for one in found if one not in self.certificates]
        self.crls += lists
        if found or lists:
            self.sources.append(source)

    def judge(self, report, policy, now):
        """-> verify.Result of a report's bytes, under AMD's roots and those that the policy names."""
        roots = {digest: None for digest in policy.root}
        roots.update(verify.ROOTS)
        return verify.verify(report, self.certificates, policy, now, roots, self.crls)

    async def fetch(self, report, result, policy, fetch):
        """Ask AMD's server, or the policy's, for what the judgment of a Report lacked. -> True if anything came.

        A server that gives nothing is asked for nothing more.
        """
        came = False
        for address, take in self._wanted(report, result, policy.kds or certs.KDS):
            try:
                take(address, await fetch(address))
            except (OSError, ValueError) as e:
                self.sources.append("%s: %s" % (address, e))
                break
            came = True
        return came

    def _wanted(self, report, result, kds):
        """Yield (address, function that takes what is there). A report of version 2 does not name its product."""
        product, vlek = report.product or "Milan", report.signing_key == VLEK
        if result.failed(*_UNFIT):
            if not vlek:  # a VLEK is given to its provider alone
                try:
                    address = certs.vcek_url(product, report.chip_id, report.reported_tcb, kds)
                except ValueError as e:
                    self.sources.append(str(e))
                    return
                yield address, self._certificates
            yield certs.chain_url(product, vlek, kds), self._certificates
        if not self.crls:
            yield certs.crl_url(product, vlek, kds), self._list

    def _certificates(self, address, data):
        self._take(address, certs.load(data), [])

    def _list(self, address, data):
        self._take(address, [], [bytes(data)])
