"""Processors and devices that lack something: the machine says so and refuses, or does without."""

import pytest

import qemu
import rawrepl

NO_ENTROPY = {"cpu": "qemu64,-rdrand,-rdseed"}


@pytest.fixture
def bare(boot):
    """A function that boots without virtio-rng, which the firmware would make EFI_RNG from."""
    class Options(qemu.Options):
        def command(self):
            line = super().command()
            at = line.index("virtio-rng-pci,rng=rng")
            return line[:at - 3] + line[at + 1:]

    def start(**options):
        original, qemu.Options = qemu.Options, Options
        try:
            return boot(**options)
        finally:
            qemu.Options = original
    return start


def test_no_entropy(bare):
    """Without RDRAND, RDSEED and EFI_RNG random numbers are refused, clearly; everything else works."""
    machine = bare(**NO_ENTROPY)
    code = ("import os\ntry:\n  print(os.urandom(4))\nexcept OSError as e: print('OSError', e.errno)\n"
            "try:\n  import random\n  print(random.random())\nexcept OSError as e: print('OSError', e.errno)\n"
            "import cpu\ntry:\n  cpu.rdrand()\nexcept OSError as e: print('OSError', e.errno)\nprint(sum(range(10)))")
    assert rawrepl.run(machine, code) == ("OSError 19\nOSError 19\nOSError 19\n45\n", "")
    assert "second" in machine.command("uptime")


@pytest.mark.parametrize("options", [NO_ENTROPY, {"cpu": "qemu64,+rdrand"}],
                         ids=["EFI_RNG alone", "RDRAND alone"])
def test_one_source(boot, bare, options):
    machine = (boot if options is NO_ENTROPY else bare)(**options)
    code = "import os\nprint(len({os.urandom(16) for _ in range(100)}))"
    assert rawrepl.run(machine, code) == ("100\n", "")


def test_differs(boot):
    """Two boots of one image share no random number."""
    seen = {rawrepl.run(boot(), "import os, random\nprint(os.urandom(16).hex(), random.getrandbits(32))")[0] for _ in range(2)}
    assert len(seen) == 2 and all(len(line.split()) == 2 for line in seen)
