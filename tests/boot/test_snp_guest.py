"""What an SEV-SNP guest does beside messages, on the emulator: network, other processors, intercepted time, the exits that all of it takes."""

import subprocess

import pytest

import rawrepl
import sshclient
from test_net import SERVER, STATIC, exchange, free_port, serve

LIMIT = 60  # s
COUNTS = "import ghcb\nprint(ghcb.counts())"


def counts(machine):
    """Return {"exits": {code: n}, "vc": {code: n}} of a machine at its prompt."""
    printed, error = rawrepl.run(machine, COUNTS)
    assert not error
    return eval(printed)  # noqa: S307  our own guest's dictionary


def sound(machine):
    """Nothing was wrong with the guest, and it still answers."""
    assert "violation" not in machine.log() and "malformed" not in machine.log()
    assert rawrepl.run(machine, "print(6 * 7)") == ("42\n", "")


def traffic(machine):
    """Return (frames in, frames out, exits by code, exceptions by code) of a machine at its Python prompt."""
    machine.send("import ghcb; from shell import network; c = dict(network.interface.counters()); "
                 "print('so far', (c['frames received'], c['frames sent'], ghcb.counts()))\r")
    inwards, outwards, counted = eval(machine.expect(rb"\nso far (.*)\r", 30)[1])  # noqa: S307
    return inwards, outwards, counted["exits"], counted["vc"]


@pytest.fixture
def machine(boot_snp):
    """A machine on the emulator whose port 80 is `machine.port` here. A device meets no private memory: that is held apart."""
    port = free_port()
    started = boot_snp("split=200M", files={"server.py": SERVER}, net="user", forwards={80: port})
    started.port = port
    return started


def test_tcp(machine):
    """A megabyte there and back, whole: no exit is an exception first, and frames share theirs."""
    serve(machine)
    before = traffic(machine)
    data = bytes(range(256)) * 4096
    assert exchange(machine.port, data) == data
    after = traffic(machine)
    frames = after[0] + after[1] - before[0] - before[1]
    registers = after[2][0x80000002] - before[2][0x80000002]
    print(f"{after[0] - before[0]} frames in, {after[1] - before[1]} out, {registers} registers written: notifications, ends of interrupts, the timer")
    assert registers <= frames, (before, after)
    assert after[3].keys() <= {0x72, 0x7C}, after
    machine.send("\x04")
    machine.wait_prompt(20)
    sound(machine)


def test_ssh_and_http(boot_snp):
    """The servers of `debug`, asked by OpenSSH and curl."""
    ssh, http = free_port(), free_port()
    machine = boot_snp("split=200M", net="user", forwards={22: ssh, 80: http})
    assert "initialized" in machine.command(STATIC + " debug")
    for _ in range(2):
        done = subprocess.run([*sshclient.command(ssh), "sev"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
        assert "SEV-SNP ............: true" in done.stdout, done
    page = subprocess.run(["curl", "-sSL", "--max-time", str(LIMIT), f"http://127.0.0.1:{http}/"], capture_output=True, text=True)
    assert page.returncode == 0 and "<html" in page.stdout.lower(), page
    sound(machine)


def test_soft_reset(machine):
    """The memory that a card had serves the next one."""
    for _ in range(2):
        serve(machine)
        assert exchange(machine.port, b"again" * 1000) == b"again" * 1000
        machine.send("\x04")
        machine.wait_prompt(20)
    sound(machine)


def test_processors(boot_snp):
    """Another processor starts, speaks through a page of its own, stops, starts again; and what is none does not."""
    machine = boot_snp(smp="2")
    code = """
import ghcb
for f, *args in ((ghcb.start_ap, 1), (ghcb.start_ap, 1), (ghcb.start_ap, 0), (ghcb.start_ap, 9), (ghcb.stop_ap, 1), (ghcb.stop_ap, 1), (ghcb.start_ap, 1)):
    try:
        result = f(*args)
        print(result and (result[0], result[1] != ghcb.addr()))
    except OSError as e:
        print(e.errno)
"""
    assert rawrepl.run(machine, code) == ("(1, True)\n17\n17\n5\nNone\n19\n(1, True)\n", "")
    assert "violation" not in machine.log() and machine.log().count("vCPU 1 registers its GHCB") == 2
    assert rawrepl.run(machine, "print(6 * 7)") == ("42\n", "")


def test_intercepted_time(boot_snp):
    """A host that intercepts RDTSC: slower, but time goes on."""
    machine = boot_snp("rdtsc=yes")
    printed, error = rawrepl.run(machine, "import time\nt = time.ticks_ms()\ntime.sleep_ms(200)\nprint(200 <= time.ticks_diff(time.ticks_ms(), t) < 2000)")
    assert (printed, error) == ("True\n", "")
    assert counts(machine)["vc"][0x6E] > 10
    sound(machine)


def test_boot(boot_snp):
    """What the way to the prompt costs: docs/boot.md lists it."""
    machine = boot_snp()
    exits = counts(machine)["exits"]
    assert exits["msr"] == 4 and exits[0x80000002] <= 80 and sum(n for code, n in exits.items() if code not in (0x7B, 0x80000002, "msr")) <= 10, exits


def test_runtime_services(boot_snp):
    """The firmware's variables and its reset, which issue ports and flash accesses of their own."""
    machine = boot_snp()
    assert "BootOrder" in machine.command("efivar")
    machine.send("reset\r")
    machine.wait_prompt(60)
