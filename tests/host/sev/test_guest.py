"""sev/guest.py and sev/machine.py over a made-up machine: opened once, one channel for each key, everything at our own level."""

import clock
import ghcb
import psp
import tables
from check import raises, run, same
from drivers.efi import SystemTable
from sev import guest as guests
from sev import kdf, machine
from sev.error import SevError

DATA = bytes(range(64))


def made(vmpl=0, **guest):
    """-> (psp.Host, Guest)"""
    card = psp.Psp()
    card.vmpl = vmpl
    for name, value in guest.items():
        setattr(card, name, value)
    host = ghcb.install(card, vmpl=vmpl)
    return host, guests.Guest(SystemTable(tables.SYSTEM).tables())


def test_ordinary_machine():
    ghcb.remove()
    same((guests.available(), str(raises(SevError, guests.Guest, ()))), (False, "SEV-SNP is not available"))


def test_sev_without_snp():
    ghcb.install(status=3)
    same((guests.available(), str(raises(SevError, guests.Guest, ()))), (False, "SEV-SNP is not available"))


def test_no_blob():
    ghcb.install()
    same(str(raises(SevError, guests.Guest, ())), "SEV_STATUS 0x7, but the firmware has no confidential-computing blob")


def test_opened():
    _, guest = made()
    same((guests.available(), guest.status, guest.vmpl, guest.blob.secrets_addr, guest.cpuid.memory.cbit), (True, 7, 0, ghcb.SECRETS, 51))


def test_channels():
    """One for each key, always the same one, with shared pages only once it is asked for."""
    host, guest = made()
    same(len(host.areas), 0)
    assert guest.channel() is guest.channel(0) is not guest.channel(1)
    same(len(host.areas), 2)
    raises(ValueError, guest.channel, 4)


def test_own_level():
    """The report states it, the key is of it, and it is this level's VMPCK that is used."""
    host, guest = made(2)
    same((guest.report(DATA)[0x30], guest.report(DATA, 3)[0x30], guest.key_request().vmpl), (2, 3, 2))
    same(guest.extended_report(DATA)[0][0x30], 2)
    assert guest.derive(guest.key_request()) != guest.derive(guest.key_request(vmpl=3))
    same(guest.tsc_info().factor, 200)
    same(set([vmpck for vmpck, _, _ in host.psp.done]), {2})
    same(str(raises(SevError, guest.channel(0).request, 5, bytes(96))), "VMPCK0 is absent")


def test_keys():
    _, guest = made()
    same(guest.key_request(), kdf.DEFAULT)
    same(bytes(guest.derive(guest.key_request())), bytes(kdf.derive(guest.channel())))
    same(guest.ssh_host_key(), kdf.ssh_host_key(guest.channel()))


def test_machine():
    host, _ = made()
    m = machine.Machine()
    area = m.shared(3)
    same((len(area.view), area.addr % 4096), (3 * 4096, 0))
    start = m.now_ms()
    m.sleep_ms(20)
    assert 15 <= m.now_ms() - start < 2000 and abs(m.now_ms() - clock.ns() // 1000000) < 100
    host.faults = [psp.says(3, 4, 5)]
    same(m.guest_request(psp.PLAIN, area.addr, _clear(area, 4096), None, None), (3, 4, 5))
    ghcb.void()
    assert "answers no exit" in str(raises(SevError, m.guest_request, psp.PLAIN, area.addr, area.addr + 4096, None, None))


def _clear(area, at):
    """-> the address of the page there, which is zeroes then, as the request page before it."""
    area.view[:] = bytes(len(area.view))
    return area.addr + at


run(globals())
