"""Is an attestation report true, and does it say what it must? Report, certificates, policy and time in, a list of checks out.

Source: SEV-SNP Firmware ABI 1.58, 7.3; VCEK Certificate and KDS Interface Specification (57230), 3 and 5; RFC 5280, 6.1, as far as a chain of
three needs it. Nothing is fetched here, and nobody who hands in a certificate need be trusted: the chain must end in a key
whose SHA-256 is known.
"""

# SPDX-License-Identifier: BSD-3-Clause

import crypto

from sev import report as fields
from sev import tcb
from sev.certs import ROOTS
from sev.crl import RevocationList
from sev.vcek import VCEK_NAME, VLEK_NAME, Endorsement
from sev.x509 import Certificate

OK, FAILED, SKIPPED = "ok", "failed", "not checked"  # verdicts
CERTIFICATES_MAX = 16

_EXACT = (("host data", "host_data"), ("family id", "family_id"), ("image id", "image_id"), ("id key digest", "id_key_digest"),
          ("author key digest", "author_key_digest"), ("chip id", "chip_id"))  # fmt: skip


class Result:
    """checks: [(name, verdict, detail)], texts, in the order in which they were made; ok: none failed; foreign: the root is not AMD's."""

    def __init__(self):
        self.checks = []
        self.ok = True
        self.foreign = False

    def add(self, name, verdict, detail=""):
        """verdict: one of the three, or a bool."""
        if verdict is True or verdict is False:
            verdict = OK if verdict else FAILED
        self.checks.append((name, verdict, detail))
        if verdict == FAILED:
            self.ok = False

    def line(self):
        """-> the final verdict in one line."""
        failed = ["%s (%s)" % (name, detail) if detail else name for name, verdict, detail in self.checks if verdict == FAILED]
        if failed or not self.ok:
            return "Verification error, " + "; ".join(failed)
        skipped = [name for name, verdict, _ in self.checks if verdict == SKIPPED]
        done = "Verification succeeded" + (" under a root that is NOT AMD's" if self.foreign else "")
        return done + (", not checked: " + ", ".join(skipped) if skipped else "")

    def failed(self, *names):
        """-> True if one of these checks failed."""
        return bool([1 for name, verdict, _ in self.checks if name in names and verdict == FAILED])


def verify(data, certificates, policy, now=None, roots=ROOTS, crls=()):
    """Judge a report -> Result; nothing raises because of what is judged.

    data: the report's bytes; certificates: the bytes of certificates (DER) in any order, others among them; policy: a Policy; now: s
    from 1970 on, None where no clock can be believed; roots: SHA-256 of a root's public key (SubjectPublicKeyInfo) -> product,
    or None for a root that is not AMD's and trusted all the same: the product is then the certificate's;
    crls: the bytes of lists of revoked certificates.
    """
    result = Result()
    try:
        report = fields.parse(data)
    except ValueError as e:
        result.add("format", False, str(e))
        return result
    result.add("format", True, "version %d" % report.version)
    chain = _Chain(report, certificates, result)
    if chain.complete:
        chain.check(now, roots)
        chain.check_revocation(now, crls)
        chain.check_binding()
    _check_tcbs(report, result, policy)
    _check_policy(report, result, policy, chain)
    return result


class _Chain:
    """The certificates from the one whose key signed the report up to the root; complete: all three are there, and sign one another."""

    def __init__(self, report, certificates, result):
        self._report = report
        self._result = result
        self.complete = False
        self.endorsement = None
        try:
            self._find(certificates)
            self.complete = True
            result.add("chain", True, " < ".join([c.subject_name for c in (self._leaf, self._intermediate, self._root)]))
        except ValueError as e:
            result.add("chain", False, str(e))

    def _find(self, certificates):
        if self._report.signing_key == fields.UNSIGNED:
            raise ValueError("the report is not signed")
        if len(certificates) > CERTIFICATES_MAX:
            raise ValueError("more than %d certificates" % CERTIFICATES_MAX)
        known, wrong = _parsed(certificates)
        name = VLEK_NAME if self._report.signing_key == fields.VLEK else VCEK_NAME
        leaves = [c for c in known if c.subject_name == name]
        if not leaves:
            raise ValueError("no certificate of %s" % name + wrong)
        self._leaf, self._signed = self._signer(leaves)
        self._intermediate = self._issuer(self._leaf, known, wrong)
        self._root = self._issuer(self._intermediate, known, wrong)
        self.endorsement = Endorsement(self._leaf)

    def _signer(self, leaves):
        """-> (the one that signed the report, True), or (the first, False)"""
        report = self._report
        for leaf in leaves:
            if leaf.verify(report.signed(), report.r, report.s):
                return leaf, True
        return leaves[0], False

    def _issuer(self, child, known, wrong):
        named = [c for c in known if c.subject == child.issuer and c.ca]
        for candidate in named:
            if child.signed_by(candidate):
                return candidate
        if named:
            raise ValueError("%s is not signed by %s" % (child.subject_name, child.issuer_name))
        raise ValueError("no certificate of %s" % (child.issuer_name or "an issuer") + wrong)

    def check(self, now, roots):
        """The root is one of those known, everything is for one product, and in its time."""
        root, middle, leaf = self._root, self._intermediate, self._leaf
        digest = crypto.sha2(256, root.spki).hex()
        product = roots.get(digest)
        self._result.foreign = digest in roots and product is None
        self._result.add("root", digest in roots and root.issuer == root.subject and root.signed_by(root) and root.path_len != 0,
                         "%s, key %s%s" % (root.subject_name, digest, ", NOT AMD's" if self._result.foreign else ""))  # fmt: skip
        self._check_product(product or self.endorsement.product)
        if now is None:
            self._result.add("validity", SKIPPED, "no time")
        else:
            late = [c.subject_name for c in (leaf, middle, root) if not c.valid_at(now)]
            self._result.add("validity", not late, ", ".join(late))

    def _check_product(self, product):
        """Report (below version 3 it does not say), certificates and root are of one."""
        report, endorsed = self._report, self.endorsement.product
        middle = ("SEV-VLEK-%s" if self._leaf.subject_name == VLEK_NAME else "SEV-%s") % product
        same = (self._root.subject_name, self._intermediate.subject_name, endorsed) == ("ARK-%s" % product, middle, product)
        stated = (report.product or "unknown") if report.cpu else "does not say"
        self._result.add("product", same and (not report.cpu or stated == product), "report %s, certificate %s, root %s" % (stated, endorsed, product))

    def check_revocation(self, now, crls):
        """No list of the root's, of any age, has the authority below it; and one of them is of today, if a time is given."""
        why, current = "no list of the root's", False
        for data in crls:
            try:
                revoked = RevocationList(data)
            except ValueError as e:
                why = str(e)
                continue
            if revoked.issuer != self._root.subject or not revoked.signed_by(self._root):
                continue
            if self._intermediate.serial in revoked.serials:
                self._result.add("revocation", False, self._intermediate.subject_name)
                return
            current = current or now is None or revoked.current_at(now)
            why = "the root's list is out of date"
        self._result.add("revocation", OK if current else SKIPPED, "" if current else why)

    def check_binding(self):
        """The report is signed by this key, which belongs to this chip and this TCB."""
        report, endorsed = self._report, self.endorsement
        self._result.add("signature", self._signed, self._leaf.subject_name)
        same = endorsed.tcb == report.reported_tcb
        self._result.add("certificate's TCB", same, "" if same else "certificate: %s; report: %s" % (tcb.text(endorsed.tcb), tcb.text(report.reported_tcb)))
        if endorsed.hardware_id is None:
            self._result.add("provider", OK, endorsed.provider)
        elif report.chip_id == bytes(64):
            self._result.add("hardware id", SKIPPED, "the report masks it")
        else:
            self._result.add("hardware id", endorsed.hardware_id == report.chip_id, report.chip_id.hex())


def _parsed(certificates):
    """-> (those that are certificates, why the first of the others is none)"""
    known, wrong = [], ""
    for data in certificates:
        try:
            known.append(Certificate(data))
        except ValueError as e:
            wrong = wrong or " (%s)" % e
    return known, wrong


def _check_tcbs(report, result, policy):
    """What is reported, and cannot be gone back from, is not above what runs; and not below what is asked for."""
    above = [tcb.below(report.current_tcb, other) for other in (report.reported_tcb, report.committed_tcb, report.launch_tcb)]
    above = [text for text in above if text]
    result.add("current TCB", not above, above[0] if above else tcb.text(report.current_tcb))
    if policy.tcb:
        missing = tcb.below(report.reported_tcb, policy.tcb)
        result.add("minimum TCB", not missing, missing or tcb.text(report.reported_tcb))


def _check_policy(report, result, policy, chain):
    result.add("debug", policy.allow_debug or not report.policy & fields.DEBUG, "allowed" if report.policy & fields.DEBUG else "off")
    result.add("migration", policy.allow_migration or not report.policy & fields.MIGRATION, "allowed" if report.policy & fields.MIGRATION else "off")
    if not policy.allow_smt:
        result.add("SMT", not report.policy & fields.SMT)
    result.add("VMPL", report.vmpl == policy.vmpl if policy.vmpl is not None else report.vmpl != fields.HOST_VMPL,
               "by the host" if report.vmpl == fields.HOST_VMPL else "%d" % report.vmpl)  # fmt: skip
    if policy.report_data is None:
        result.add("report data", SKIPPED, "nothing to compare with: the report may be an old one")
    else:
        result.add("report data", report.report_data == policy.report_data, report.report_data.hex())
    if policy.measurement is None:
        result.add("measurement", SKIPPED, report.measurement.hex())
    else:
        result.add("measurement", report.measurement in policy.measurement, report.measurement.hex())
    for name, attribute in _EXACT:
        if getattr(policy, attribute) is not None:
            result.add(name, getattr(report, attribute) == getattr(policy, attribute), getattr(report, attribute).hex())
    if policy.guest_svn:
        result.add("guest SVN", report.guest_svn >= policy.guest_svn, "%d" % report.guest_svn)
    if policy.product is not None:
        product = chain.endorsement.product if chain.endorsement else None
        result.add("accepted product", product in policy.product, product or "unknown")
    if policy.provider is not None:
        provider = chain.endorsement.provider if chain.endorsement else None
        result.add("accepted provider", provider == policy.provider, provider or "none")
