"""An attestation report for people and programs: the lines of `sev-report`, the rest of its fields, and JSON.

Labels and order of the first are as documented by the peer, whose numbers are hexadecimal without 0x. peer:
tamago-sev-example:cmd/sev.go.
"""

# SPDX-License-Identifier: BSD-3-Clause

from sev import report as fields
from sev import tcb

_NOT_NAMED = 0xFFFF | fields.MUST_BE_ONE  # of the policy: the version of the ABI, and what is always set
_KEYS = {fields.VCEK: "VCEK", fields.VLEK: "VLEK", fields.UNSIGNED: "none"}


def rows(report):
    """-> [(label, value)] of what `sev-report` shows. Signature: little-endian, as in the report."""
    return [
        ("Version", "%x" % report.version),
        ("VMPL", "%x" % report.vmpl),
        ("SignatureAlgo", "%x" % report.signature_algo),
        ("CurrentTCB", _tcb(report, "current_tcb")),
        ("Measurement", report.measurement.hex()),
        ("ReportedTCB", _tcb(report, "reported_tcb")),
        ("CommittedTCB", _tcb(report, "committed_tcb")),
        ("Launch  Mitigations", _bits(report.launch_mitigations)),
        ("Current Mitigations", _bits(report.current_mitigations)),
        ("SignatureR", report.raw[fields.R_OFFSET : fields.R_OFFSET + fields.NUMBER_LEN].hex()),
        ("SignatureS", report.raw[fields.S_OFFSET : fields.S_OFFSET + fields.NUMBER_LEN].hex()),
    ]


def detail_rows(report):
    """-> [(label, value)] of what `sev-report` does not show, in the report's order."""
    return [
        ("Product", product(report)),
        ("Guest SVN", "%d" % report.guest_svn),
        ("Policy", "%#x (ABI %d.%d, %s)" % (report.policy, report.policy >> 8 & 0xFF, report.policy & 0xFF,
                                            names(report.policy & ~_NOT_NAMED, fields.POLICY_NAMES))),
        ("Family ID", report.family_id.hex()),
        ("Image ID", report.image_id.hex()),
        ("Platform", "%#x (%s)" % (report.platform_info, names(report.platform_info, fields.PLATFORM_NAMES))),
        ("Signing key", _KEYS[report.signing_key]),
        ("Author key", "yes" if report.author_key_en else "no"),
        ("Report data", report.report_data.hex()),
        ("Host data", report.host_data.hex()),
        ("ID key digest", report.id_key_digest.hex()),
        ("Author key digest", report.author_key_digest.hex()),
        ("Report ID", report.report_id.hex()),
        ("Report ID MA", report.report_id_ma.hex()),
        ("Chip ID", report.chip_id.hex()),
        ("Firmware", "%d.%d.%d, committed %d.%d.%d" % (report.current_version + report.committed_version)),
    ] + [(label, tcb.text(getattr(report, name))) for label, name in (
        ("Current TCB", "current_tcb"), ("Reported TCB", "reported_tcb"), ("Committed TCB", "committed_tcb"), ("Launch TCB", "launch_tcb"))]  # fmt: skip


def product(report):
    """-> "Milan (family 0x19, model 0x1, stepping 1)", or what is known of it."""
    if report.cpu is None:
        return "not stated"
    return "%s (family %#x, model %#x, stepping %d)" % ((report.product or "unknown",) + report.cpu)


def as_dict(report):
    """-> a dict that json.dumps takes: numbers, text, bool and None; bytes and bit vectors as hexadecimal text."""
    result = {name: getattr(report, name).hex() for name, _, _ in fields.BYTES}
    for name in ("version", "guest_svn", "vmpl", "signature_algo", "author_key_en", "mask_chip_key", "product"):
        result[name] = getattr(report, name)
    for name in ("policy", "platform_info"):
        result[name] = "%#x" % getattr(report, name)
    for name, _ in fields.MITIGATIONS:
        value = getattr(report, name)
        result[name] = None if value is None else "%#x" % value
    for name, _ in fields.TCBS:
        result[name] = getattr(report, name)
    for name, _ in fields.VERSIONS:
        result[name] = "%d.%d.%d" % getattr(report, name)
    result["cpu"] = None if report.cpu is None else {"family": report.cpu[0], "model": report.cpu[1], "stepping": report.cpu[2]}
    result["policy_flags"] = [name for bit, name in fields.POLICY_NAMES if report.policy & bit]
    result["platform_flags"] = [name for bit, name in fields.PLATFORM_NAMES if report.platform_info & bit]
    result["signing_key"] = _KEYS[report.signing_key]
    result["signature"] = {"r": report.r.hex(), "s": report.s.hex()}  # big-endian
    return result


def names(value, table):
    """-> the names of the bits that are set, and in hexadecimal those that have none."""
    found = [name for bit, name in table if value & bit]
    rest = value & ~sum([bit for bit, _ in table])
    return ", ".join(found + (["unknown %#x" % rest] if rest else [])) or "none"


def _tcb(report, name):
    at = dict(fields.TCBS)[name]
    return "%x" % int.from_bytes(report.raw[at : at + 8], "little")


def _bits(vector):
    return "not reported" if vector is None else "%#x" % vector
