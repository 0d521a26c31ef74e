"""`sev-report verify`: certificates and policy from the boot volume, from the host's table, and from AMD's server if need be.

The folder /attest of the boot volume may hold: policy.cfg, what the report must say (sev/policy.py); certificates, in files
whose names end in .pem, .crt, .cer or .der, and revocation lists, with `crl` in their names. In a hardened build the volume
is the host's, and policy.cfg is not read: it could name a root of the host's.
"""

# SPDX-License-Identifier: BSD-3-Clause

import os
import sys

from _repl import HARDENED

from shell.registry import CommandError

FOLDER = "/attest"
POLICY = "policy.cfg"
_SUFFIXES = (".pem", ".crt", ".cer", ".der", ".crl")
_FILE = 0x8000
_FILE_MAX = 65536  # bytes
_CLOCK_MIN = 1704067200  # 2024: a clock before that was never set
_LABEL_LEN = 20


async def judge(ctx, asked):
    """-> the text of a judgment of a sevreport.Asked: a line for each check and a final one."""
    import clock
    from sev import report as fields
    from sev.evidence import Evidence

    policy = ctx.foreground(_policy, asked.data)
    evidence = Evidence()
    evidence.add_table(asked.table)
    for name in _files():
        try:
            evidence.add_file(name, _read(name))
        except CommandError as e:
            evidence.sources.append(str(e))
    report = fields.parse(asked.bytes)
    now = clock.wall_ns() // 1000000000
    now = now if now > _CLOCK_MIN else None
    result = ctx.foreground(evidence.judge, asked.bytes, policy, now)
    if _network() and await evidence.fetch(report, result, policy, _fetch):
        result = ctx.foreground(evidence.judge, asked.bytes, policy, now)
    return _text(evidence, result)


def _policy(data):
    """-> the Policy of the boot volume, with the report data that was sent."""
    from sev import policy

    try:
        text = "" if HARDENED else str(_read(POLICY), "utf-8")
    except UnicodeError:
        raise CommandError("%s/%s is not UTF-8" % (FOLDER, POLICY))
    except OSError:
        text = ""  # not there
    made = policy.parse(text)
    made.report_data = data
    return made


def _files():
    """-> names of the files with certificates and lists, sorted."""
    try:
        names = [entry[0] for entry in os.ilistdir(FOLDER) if entry[1] == _FILE]
    except OSError:
        return []
    return sorted([name for name in names if name[name.rfind(".") :].lower() in _SUFFIXES])


def _read(name):
    path = FOLDER + "/" + name
    if os.stat(path)[6] > _FILE_MAX:
        raise CommandError("%s: longer than %d bytes" % (name, _FILE_MAX))
    with open(path, "rb") as f:
        return f.read()


def _network():
    """-> True if a network is up."""
    network = sys.modules.get("shell.network")
    return bool(network and network.interface)


async def _fetch(address):
    from net import http_get
    from shell import names

    return await http_get.get(address, names.resolve)


def _text(evidence, result):
    from shell.table import table

    rows = [("Certificates of", source) for source in evidence.sources or ["nobody"]]
    for name, verdict, detail in result.checks:
        rows.append((name[0].upper() + name[1:], "%s (%s)" % (verdict, detail) if detail else verdict))
    return table(rows, _LABEL_LEN) + "\n" + result.line() + "\n"
