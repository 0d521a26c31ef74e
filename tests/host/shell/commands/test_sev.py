"""shell/commands/sev.py over a made-up guest: what is shown, what options do, and every fault in one line."""

import json
import os
import struct

import crypto
import efi
import ghcb
import mem
import psp
from check import run, same
from net.ssh.wire import string
from sev import machine, report_text
from shell import hostkey, snp
from talk import command, talk

GONE = "; VMPCK0 is erased"
VCEK = "63da758d-e664-4564-adc5-f4b93be8accd"


def guest(card=None, table=b"", **how):
    """Boot a new machine. -> its psp.Host."""
    snp.forget()
    hostkey.forget()
    return ghcb.install(card, table, **how)


def ordinary():
    snp.forget()
    hostkey.forget()
    ghcb.remove()


def signing(**fields):
    """-> a processor whose reports are whole ones."""
    card = psp.Psp()
    card.private, card.public = crypto.ec_keypair(384)
    for name, value in fields.items():
        setattr(card, name, value)
    return card


def certificates(*contents):
    """-> a table that calls all of them VCEK."""
    guid = bytes.fromhex(VCEK.replace("-", ""))
    head, body, at = b"", b"", 24 * (len(contents) + 1)
    for content in contents:
        head += guid + struct.pack("<II", at + len(body), len(content))
        body += content
    return head + bytes(24) + body


def values(text):
    """-> {label: value} of `label ....: value` lines."""
    return {line.partition(":")[0].rstrip(" ."): line.partition(": ")[2] for line in text.split("\n") if ": " in line}


def raw(options=""):
    """-> the report that `sev-report raw` gives."""
    return bytes.fromhex(command("sev-report raw" + options).split("\n")[0])


# ---- outside ------------------------------------------------------------------------------------------------------------


def test_outside():
    ordinary()
    for line in ("sev", "sev verbose", "sev-kdf", "sev-report", "sev-report raw", "sev-report verify", "sev-report json", "sev-report ssh", "sev-tsc"):
        same((line, command(line)), (line, "command error, SEV-SNP is not available\n"))


def test_firmware_mode():
    guest()
    efi.state["alive"] = True
    for line in ("sev", "sev-report"):
        same(command(line), "command error, the firmware has the GHCB until boot services are exited: `exit-boot-services`\n")
    efi.state["alive"] = False
    assert raw()


def test_a_firmware_with_another_story():
    guest()
    mem.regions[:] = [r for r in mem.regions if r[0] != ghcb.BLOB]
    same(command("sev"), "command error, the confidential-computing blob is not in memory\n")
    for status, what in ((1 << 3 | 7, "vTOM"), (1 << 5 | 7, "RestrictedInjection"), (1 << 40 | 7, "bit40")):
        guest(status=status)
        same(command("sev-report"), "command error, SEV features without support here: %s\n" % what)
    guest()
    snp.guest()  # opened once: what the host then does to the firmware's tables is of no interest
    mem.regions[:] = [r for r in mem.regions if r[0] in (ghcb.SECRETS, ghcb.CPUID)]
    assert "SEV-SNP ............: true" in command("sev")
    for addr, what in ((ghcb.SECRETS, "secrets"), (ghcb.CPUID, "CPUID")):
        guest()
        mem.regions[:] = [r for r in mem.regions if r[0] != addr]
        same(command("sev"), "command error, the %s page at %#x is not mapped\n" % (what, addr))
    guest()
    ghcb.C_BIT, real = 47, ghcb.C_BIT
    same(command("sev"), "command error, the CPUID page has the C-bit at 51, the page tables at 47\n")
    ghcb.C_BIT = real


# ---- sev ----------------------------------------------------------------------------------------------------------------


def test_sev():
    """As documented, to the letter."""
    guest()
    ends = ["0x%02x -- 0x%02x" % (key[0], key[31]) for key in psp.Psp().keys]
    same(
        command("sev"),
        "SEV ................: true\n"
        "SEV-ES .............: true\n"
        "SEV-SNP ............: true\n"
        "Encrypted bit ......: 51\n"
        "SNP Version ........: 1\n"
        "\n"
        "Secrets Page .......: 0x80d000 (4096 bytes)\n"
        "Secrets Version ....: 4\n"
        "TSC Factor .........: 0xc8\n"
        "Launch Mitigations .: 0xb\n"
        "VMPCK0 .............: %s\n"
        "VMPCK1 .............: %s\n"
        "VMPCK2 .............: %s\n"
        "VMPCK3 .............: %s\n"
        "\n"
        "vCPU ...............: 0\n"
        "GHCB GPA ...........: 0x7d000000\n"
        "Hypervisor Features : 0x3\n"
        "\n" % tuple(ends),
    )


def test_sev_verbose():
    guest(vmpl=2)
    command("sev-tsc")
    shown = values(command("sev verbose"))
    same((shown["VMPL"], shown["Active"], shown["GHCB protocol"]), ("2", "SEV SEV-ES SEV-SNP", "2 (host: 1 to 2)"))
    same((shown["SVSM"], shown["CPUID Page"]), ("0x1000 (4096 bytes), calling area 0x5000", "0x80e000 (4 entries)"))
    same((shown["Exits"], shown["#VC"]), ("guest request 1", "CPUID 3"))
    same((shown["Message numbers"], shown["VMPCK0"], shown["VMPCK1"]), ("0, 0, 2, 0", "absent", "absent"))


def test_sev_after_a_lie():
    host = guest()
    host.faults = [psp.silent]
    command("sev-tsc")
    same(values(command("sev"))["VMPCK0"], "erased: answer with algorithm 0, not 1")


# ---- sev-report ---------------------------------------------------------------------------------------------------------


def test_report():
    guest(signing(report_version=5))
    lines = command("sev-report").split("\n")
    labels = ["%-20s: " % (label + " " + "." * (19 - len(label))) for label, _ in report_text.rows(_parsed(raw()))]
    same([line[:22] for line in lines[:11]], labels)
    same(lines[4], "Measurement ........: " + bytes(range(48)).hex())
    same(lines[7:9], ["Launch  Mitigations : 0xb", "Current Mitigations : 0x3"])
    same(lines[11:], ["", ""])


def _parsed(data):
    from sev import report

    return report.parse(data)


def test_report_data():
    host = guest(signing())
    same(raw(" data 0x0102aAFf")[0x50:0x90], b"\x01\x02\xaa\xff" + bytes(60))
    same(raw(" data " + "5a" * 64)[0x50:0x90], b"\x5a" * 64)
    assert raw()[0x50:0x90] != raw()[0x50:0x90], "not random"
    with open("test-report-data", "w") as f:
        f.write("what is attested" * 2000)
    try:
        same(raw(" file test-report-data")[0x50:0x90], crypto.sha2(512, b"what is attested" * 2000))
    finally:
        os.remove("test-report-data")
    count = len(host.calls)
    for options, error in (
        ("data 123", "invalid <hex> `123`, not up to 64 bytes in hexadecimal"),
        ("data 0x", "invalid <hex> `0x`, not up to 64 bytes in hexadecimal"),
        ("data xy", "invalid <hex> `xy`, not up to 64 bytes in hexadecimal"),
        ("data " + "00" * 65, "invalid <hex> `%s…`, not up to 64 bytes in hexadecimal" % ("0" * 40)),
        ("ssh data " + "00" * 33, "invalid <hex> `%s…`, not up to 32 bytes in hexadecimal" % ("0" * 40)),
        ("file nowhere", "no such file or directory"),
        ("file x data 00", "report data come from `data` or from `file`"),
        ("vmpl 4", "invalid <vmpl> `4`, not a number up to 3"),
        ("vmpl -1", "invalid <vmpl> `-1`, not a number up to 3"),
        ("key x", "invalid <key> `x`, expected either, vcek, vlek"),
    ):
        same((options, command("sev-report " + options)), (options, "command error, %s\n" % error))
    same(len(host.calls), count + 1)  # the key for `ssh` alone


def test_report_options():
    guest(signing())
    same(raw(" vmpl 2")[0x30], 2)
    assert command("sev-report vmpl 2").startswith("Version ............: 3\nVMPL ...............: 2\n")
    same(command("sev-report key vlek"), "command error, report refused: invalid key (0x27)\n")
    same(len(raw(" key vcek")), 0x4A0)  # that was no doubt
    guest(signing(), certificates(b"a certificate"))
    assert command("sev-report ext").endswith("\nCertificate ........: VCEK, 13 bytes\n\n")
    report, table, rest = command("sev-report raw ext").split("\n", 2)
    same((len(report), bytes.fromhex(table), rest), (2 * 0x4A0, certificates(b"a certificate"), "\n"))
    guest(signing())
    same(len(command("sev-report raw ext").split("\n")[1]), 48)  # a table without entries


def test_many_certificates():
    """More than the four pages that are offered first: the host says how many, and gets them."""
    host = guest(signing(), certificates(b"c" * 30000))
    same(values(command("sev-report ext"))["Certificate"], "VCEK, 30000 bytes")
    same(host.calls, [psp.EXTENDED, psp.PLAIN, psp.EXTENDED])


def test_broken_table():
    guest(signing(), b"\xff" * 48)
    wrong = "certificate table has an entry of 4294967295 bytes at 0xffffffff\n"
    same(command("sev-report ext"), "command error, " + wrong)
    assert "\nCertificates of ....: the host's table: " + wrong in command("sev-report verify")


def test_json():
    card = signing(report_version=5)
    guest(card, certificates(b"a certificate"))
    shown = json.loads(command("sev-report json ext ssh data 01"))
    same((shown["version"], shown["vmpl"], shown["certificates"]), (5, 0, {"VCEK": b"a certificate".hex()}))
    same((shown["ssh_host_key"], bytes.fromhex(shown["raw"])[0x50:0x90].hex()), (hostkey.get().fingerprint, shown["report_data"]))
    missing = [name for name in report_text.as_dict(_parsed(bytes.fromhex(shown["raw"]))) if name not in shown]
    same(missing, [])


def test_full():
    guest(signing())
    shown = values(command("sev-report full"))
    same((shown["Signing key"], shown["Product"]), ("VCEK", "Milan (family 0x19, model 0x1, stepping 1)"))


def test_ssh():
    """The report data are the SHA-256 of the host key as SSH encodes it, and 32 bytes of the asker's."""
    host = guest(signing())
    shown = raw(" ssh data " + "ab" * 32)
    private = snp.guest().ssh_host_key()
    blob = string(b"ecdsa-sha2-nistp256") + string(b"nistp256") + string(crypto.ec_public(256, private))
    same(shown[0x50:0x90], crypto.sha2(256, blob) + b"\xab" * 32)
    same(raw(" ssh")[0x70:0x90], bytes(32))
    assert command("sev-report ssh").endswith("\nSSH host key .......: %s\n\n" % hostkey.get().fingerprint)
    first = hostkey.get().blob
    guest(signing())
    same(hostkey.get().blob, first)  # the same guest on the same chip
    guest(signing(measurement=bytes(48)))
    assert hostkey.get().blob != first
    same(command("sev-report ssh file x"), "command error, `ssh` leaves room for 32 bytes of `data`, not for a file\n")


# ---- sev-kdf, sev-tsc ---------------------------------------------------------------------------------------------------


def key(options=""):
    text = command(("sev-kdf " + options).rstrip())
    assert len(text) == 66 and text.endswith("\n\n"), text
    return text[:64]


def test_kdf():
    """By default the chip's key for policy, measurement and SVN, as documented by the peer; options change a field each."""
    guest()
    chosen = struct.pack("<IQI", 0, 0b011001, 0) + struct.pack("<Q", 0x30000) + bytes(range(48)) + struct.pack("<I", 0)
    same(key(), crypto.hmac(256, b"the chip's secret", chosen).hex())
    same(key("fields guest-svn,policy,measurement key either root chip svn 0 tcb 0 vmpl 0"), key())
    options = ("", "root vmrk", "key vcek", "fields none", "fields policy", "fields policy,image-id", "fields policy,family-id", "fields policy,measurement",
               "vmpl 1", "svn 1", "fields tcb", "fields tcb tcb 4000000000000001")  # fmt: skip
    same(len(set([key(one) for one in options])), len(options))
    for line, error in (
        ("fields", "missing argument <fields> of `fields`"),
        ("fields policy,x", "invalid <fields> `x`, expected family-id, guest-svn, image-id, launch-mit, measurement, policy, tcb"),
        ("fields launch-mit", "the field launch-mit wants `mit <hex>`"),
        ("root x", "invalid <root> `x`, expected chip, vmrk"),
        ("svn 4294967296", "invalid <svn> `4294967296`, not a number up to 4294967295"),
        ("tcb 10000000000000000", "invalid <hex> `10000000000000000`, more than 64 bits"),
        ("svn 3", "key refused: invalid parameter (0x16)"),
        ("key vlek", "key refused: invalid key (0x27)"),
    ):
        shown = command("sev-kdf " + line).split(", usage:")[0].strip("\n")
        same((line, shown), (line, "command error, " + error))
    assert key()  # none of these cost the key


def test_kdf_mitigations():
    guest(signing(report_version=5))
    assert key("fields launch-mit mit 3") != key("fields launch-mit mit 0b")
    host = guest(signing(mit_known=False))
    same(command("sev-kdf mit 1"), "command error, the firmware does not know launch mitigation vectors: its reports have version 3\n")
    assert key()


def test_own_level():
    """Above VMPL 0 everything is asked for at our own level, with its key."""
    host = guest(signing(vmpl=1), vmpl=1)
    same(raw()[0x30], 1)
    assert key() and hostkey.get()
    same(set([done[0] for done in host.psp.done]), {1})
    same(command("sev-report vmpl 0"), "command error, report refused: invalid parameter (0x16)\n")


def test_tsc():
    guest()
    same(command("sev-tsc"), "Guest TSC Scale ....: 4294967296\nGuest TSC Offset ...: 18446744073709486080\nTSC Factor .........: 200\n\n")


# ---- faults -------------------------------------------------------------------------------------------------------------

LIES = (
    (psp.silent, "answer with algorithm 0, not 1"),
    (psp.says(1, 0), "the host does not take the request (0x1, 0x0)"),
    (psp.says(2, 5), "the host does not take the request (0x2, 0x5)"),
    (psp.says(0, 7 << 32), "the host fails the request (0x700000000)"),
    (psp.says(0, 0x1D), "the secure processor refuses the message: AEAD overflow (0x1d)"),
    (psp.says(0, 0x0B), "the secure processor refuses the message: bad measurement (0xb)"),
    (psp.late(0, 0xFF), "the secure processor refuses the message: unknown status (0xff)"),
    (psp.garbled(0), "answer that is not the secure processor's: its tag is wrong"),
    (psp.garbled(0x60), "answer that is not the secure processor's: its tag is wrong"),
    (psp.garbled(0x20, 9), "answer with sequence number 9, not 2"),
    (psp.garbled(0x34, 9), None),  # another type
    (psp.garbled(0x37, 0xFF), None),  # a payload longer than the page
)


def test_lies():
    """One line, the key is gone, and a later request says why; psp.Host fails where a number carried two texts."""
    for lie, text in LIES:
        for line in ("sev-report", "sev-report verify", "sev-report raw ext", "sev-kdf", "sev-tsc"):
            host = guest(signing())
            host.faults = [lie]
            shown = command(line)
            assert shown.count("\n") == 1 and shown.startswith("command error, ") and shown.endswith(GONE + "\n"), (line, shown)
            same(text is None or shown == "command error, " + text + GONE + "\n", True)
            count = len(host.calls)
            why = shown[len("command error, ") : -len(GONE) - 1]
            same(command("sev-report"), "command error, VMPCK0 was erased: %s\n" % why)
            same((len(host.calls), any(mem.view(ghcb.SECRETS + 0x20, 32)), any(mem.view(ghcb.SECRETS + 0x40, 32))), (count, False, True))


class Clock:
    """The host's time in place of this machine's."""

    def __init__(self, host):
        self.ns = lambda: host.ms * 1000000


def test_busy():
    host = guest(signing())
    machine.time, machine.clock, real = host, Clock(host), (machine.time, machine.clock)
    try:
        host.faults = [psp.busy, psp.busy, None]
        same((len(raw()), host.slept), (0x4A0, [2000, 2000]))
        host.faults = [psp.busy] * 100
        same(command("sev-tsc"), "command error, the host stays busy%s\n" % GONE)
        same(len(host.calls), 3 + 32)
    finally:
        machine.time, machine.clock = real


def test_void_exit():
    guest(signing())
    ghcb.void()
    same(command("sev-tsc"), "command error, the host answers no exit ([Errno 5] EIO)%s\n" % GONE)


def test_no_shared_memory():
    guest(signing())

    def refused(size, align=4096, zeroed=True):
        raise OSError(5)

    mem.dma = refused
    same(command("sev-report"), "command error, the host shares no memory ([Errno 5] EIO)\n")
    assert any(mem.view(ghcb.SECRETS + 0x20, 32))


def test_host_key_falls_back():
    """Outside it is random; where the processor gives none, too, and the console says so."""
    ordinary()
    first = hostkey.get().blob
    same(hostkey.get().blob, first)
    hostkey.forget()
    assert hostkey.get().blob != first
    host = guest(signing())
    host.faults = [psp.says(0, 0x16)]
    shown = command("sev-report ssh")
    why = "the secure processor refuses the message: invalid parameter (0x16)"
    same(shown, "the SSH host key is a random one: %s%s\ncommand error, VMPCK0 was erased: %s\n" % (why, GONE, why))
    assert hostkey.get()


run(globals())
