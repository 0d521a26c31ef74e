# sev/ as a guest of the secure processor that test_guest.py holds. Run by MicroPython's unix port.
#
# First line: the secrets page in hex. Then a request in a line, as JSON: [name, VMPCK, arguments], bytes as hex. Each exit goes
# out as `exit CODE RAX? REQUEST-PAGE` and comes back as `INFO1 INFO2 RBX RESPONSE-PAGE CERTIFICATES`; a request ends with
# `done RESULT` or `error TEXT`.
import json
import sys
from binascii import hexlify, unhexlify

sys.path.pop(0)  # this folder

from sev import certs, kdf, msg, payload, requests
from sev.channel import Channel
from sev.error import SevError
from sev.secrets import Secrets

PAGE = 4096


class Area:
    def __init__(self, addr, pages):
        self.addr, self.view = addr, memoryview(bytearray(PAGE * pages))

    def free(self):
        pass


class Machine:
    """A host in the process that started this one."""

    def __init__(self):
        self.areas, self.ms = [], 0

    def shared(self, pages):
        self.areas.append(Area(0x10000000 * (len(self.areas) + 1), pages))
        return self.areas[-1]

    def view(self, addr):
        (area,) = [a for a in self.areas if a.addr <= addr < a.addr + len(a.view)]
        return area.view[addr - area.addr :]

    def guest_request(self, code, info1, info2, rax, rbx):
        print("exit", hex(code), rbx or 0, hexlify(self.view(info1)[:PAGE]).decode())
        got1, got2, pages, response, table = sys.stdin.readline().rstrip("\n").split(" ")
        self.view(info2)[:PAGE] = unhexlify(response)
        if table:
            self.view(rax)[: len(table) // 2] = unhexlify(table)
        return int(got1), int(got2), int(pages)

    def now_ms(self):
        return self.ms

    def sleep_ms(self, n):
        self.ms += n


def report(channel, data, vmpl, key):
    return requests.report(channel, unhexlify(data), vmpl, key).hex()


def extended(channel, data, vmpl, key):
    """-> the report, the certificates, the lists of the revoked."""
    got, table = requests.extended_report(channel, unhexlify(data), vmpl, key)
    return [got.hex(), [c.hex() for c in certs.from_table(table)], [c.hex() for c in certs.crls_from_table(table)]]


def derive(channel, *fields):
    return kdf.derive(channel, payload.KeyRequest(*fields)).hex()


def tsc(channel):
    return list(requests.tsc_info(channel))


def vmrk(channel):
    payload.vmrk(channel.request(msg.VMRK_REQ, payload.vmrk_request(0x1000, bytes(32))))


def main():
    page = bytearray(unhexlify(sys.stdin.readline().rstrip("\n")))
    machine, secrets, channels = Machine(), Secrets(page), {}
    for line in sys.stdin:
        name, index, arguments = json.loads(line)
        if index not in channels:
            channels[index] = Channel(machine, secrets.key(index))
        try:
            print("done", json.dumps({"report": report, "extended": extended, "derive": derive, "tsc": tsc, "vmrk": vmrk}[name](channels[index], *arguments)))
        except (SevError, ValueError) as e:
            print("error", e)


main()
