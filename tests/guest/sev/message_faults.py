# What the host and the secure processor can do wrong to a guest message: each is one line of an error, and costs the key.
# with: faults
import sys

import clock
import faults
import ghcb

if not ghcb.sev_status():
    print("SKIP this is no SEV-SNP guest")
    sys.exit()

from shell import snp
from sev import certs, policy, verify
from sev.error import SevError


def fresh():
    faults.renew()
    snp.forget()
    return snp.guest()


def attempt(name, ask):
    guest = fresh()
    report(guest)  # so that there is an answer to replay
    faults.next(name)
    try:
        ask(guest)
        print(name, "was not noticed")
    except SevError as e:
        print(name + ":", e)
    faults.next("none")
    try:
        guest.report(bytes(64))
        print("    the key is still in use")
    except SevError:
        print("    the key is gone")


def report(guest):
    guest.report(bytes(range(64)))


for name in ("bad-tag", "wrong-sequence", "wrong-type", "wrong-version", "wrong-vmpck", "wrong-header", "short-reply", "empty-reply", "oversize",
             "bad-status", "wrong-size", "other-data", "other-vmpl", "refused", "silent", "replay"):
    attempt(name, report)

# A host that is busy twice, and then is not: the same bytes again, at Linux's pace.
guest = fresh()
faults.next("busy", 2)
start = clock.ns()
report(guest)
print("busy twice:", (clock.ns() - start) // 1000000000, "s")

# What only the certificates tell.
for name in ("bad-signature", "other-chip", "other-tcb"):
    guest = fresh()
    faults.next(name)
    report_bytes, table = guest.extended_report(bytes(64))
    result = verify.verify(report_bytes, certs.from_table(table), policy.parse(""), None)
    print(name + ":", ", ".join(check[0] for check in result.checks if check[1] == "failed"))

# Certificates that want more room than the guest offers first.
faults.next("more-pages")
report_bytes, table = guest.extended_report(bytes(64))
print("larger buffer:", len(table))
