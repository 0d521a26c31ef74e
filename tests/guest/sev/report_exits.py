# How many exits a report takes: one, once its pages are shared; with certificates one, or three while the buffer grows.
import sys

import ghcb

if not ghcb.sev_status():
    print("SKIP this is no SEV-SNP guest")
    sys.exit()

from shell import snp


def exits(ask):
    before = ghcb.counts()["exits"]
    ask()
    after = ghcb.counts()["exits"]
    return sorted([(hex(code), n - before.get(code, 0)) for code, n in after.items() if code != "msr" and n != before.get(code, 0)])


guest = snp.guest()
guest.extended_report(bytes(64))  # from here on the pages are there
print("report", exits(lambda: guest.report(bytes(64))))
print("extended report", exits(lambda: guest.extended_report(bytes(64))))
print("derived key", exits(lambda: guest.derive(guest.key_request())))
