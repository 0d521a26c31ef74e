# The fake processor of tests/fakes/psp.py, for test_fake.py, which asks the emulator's the same. Run by MicroPython's unix port.
#
# A line in: `SEED VLEK MIT VMPL` begins a new guest and prints its keys; `PAGE`, a request in hex, prints the status and the answer.
import sys

sys.path.pop(0)  # this folder

import psp


def main():
    guest = None
    for line in sys.stdin:
        words = line.split()
        if len(words) == 4:
            guest = psp.Psp(int(words[0]))
            guest.vlek, guest.mit_known, guest.vmpl = words[1] == "1", words[2] == "1", int(words[3])
            guest.report_version = 5 if guest.mit_known else 3
            print(b"".join(guest.keys).hex())
        else:
            status, answer = guest.process(bytes.fromhex(words[0]))
            print(status, (answer or b"").hex() or "-")


main()
