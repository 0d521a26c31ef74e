# Let sev/verify.py judge reports: judge.py FILE, under MicroPython's unix port.
#
# FILE is JSON: {"roots": {SHA-256: product} or null for AMD's, "cases": [{"report", "certificates": [hexadecimal], "policy": lines
# of an options file, "now": s or null, "crls": [hexadecimal]}]}. Prints a JSON list of {"ok", "line", "checks"}. With "flips": [count of bytes from one
# flipped byte to the next, for the report and each certificate], it instead flips a bit in these bytes of the first case, one
# after the other, and prints [how many were judged, [(part, offset) that still passed]]. With "read": [certificates] it
# prints for each [subject, product whose root it is, may it sign, how far, [by which of them it is signed]].
import json
import sys
from binascii import unhexlify

sys.path.pop(0)  # this folder, named as what is tested

import crypto
from sev import certs, policy, verify
from sev.x509 import Certificate


def judged(parts, case, roots):
    return verify.verify(parts[0], parts[1:], policy.parse(case["policy"]), case["now"], roots, [unhexlify(text) for text in case["crls"]])


def parts_of(case):
    return [unhexlify(text) for text in [case["report"]] + case["certificates"]]


def judge(job, roots):
    results = []
    for case in job["cases"]:
        result = judged(parts_of(case), case, roots)
        results.append({"ok": result.ok, "line": result.line(), "checks": result.checks})
    return results


def flip(job, roots):
    case = job["cases"][0]
    parts = parts_of(case)
    if not judged(parts, case, roots).ok:
        raise ValueError("does not pass as it is")
    count, passed = 0, []
    for which, step in enumerate(job["flips"]):
        good = parts[which]
        for at in range(0, len(good), step) if step else ():
            parts[which] = good[:at] + bytes((good[at] ^ 1 << (at // step & 7),)) + good[at + 1 :]
            count += 1
            if judged(parts, case, roots).ok:
                passed.append((which, at))
        parts[which] = good
    return [count, passed]


def read(job, roots):
    known = [Certificate(unhexlify(text)) for text in job["read"]]
    return [[c.subject_name, roots.get(crypto.sha2(256, c.spki).hex()), c.ca, c.path_len, [c.signed_by(other) for other in known]] for c in known]


def main(path):
    with open(path) as f:
        job = json.load(f)
    roots = certs.ROOTS if job["roots"] is None else job["roots"]
    print(json.dumps((read if "read" in job else flip if "flips" in job else judge)(job, roots)))


main(sys.argv[1])
