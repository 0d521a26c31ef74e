# Seal and open guest messages for test_sev_messages.py, which knows AES-GCM from elsewhere. Run by MicroPython's unix port.
#
# One line in, one line out, bytes as hex: `seal KEY NUMBER TYPE VERSION VMPCK PAYLOAD`, `open KEY NUMBER TYPE VERSION
# VMPCK PAGE` (or the error's text), `p256 SECRET`.
import sys

import crypto

sys.path.pop(0)  # this folder

from sev import kdf, msg
from sev.error import SevError


def main():
    for line in sys.stdin:
        what, key, *rest = line.split()
        if what == "p256":
            print(kdf.p256_key(bytes.fromhex(key)).hex())
            continue
        number, kind, version, vmpck = [int(n) for n in rest[:4]]
        gcm, data = crypto.Gcm(bytes.fromhex(key)), bytearray(bytes.fromhex(rest[4]))
        try:
            if what == "seal":
                print(msg.seal(gcm, number, kind, version, vmpck, data).hex())
            else:
                print(msg.open(gcm, data, number, kind, version, vmpck).hex())
        except SevError as e:
            print(e)


main()
