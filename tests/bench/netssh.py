"""SSH: from the start of OpenSSH's client to the shell's prompt in it, over QEMU's user networking; `net-virtio ... debug` serves."""
import os
import select
import subprocess
import time

import boot
import qemu

RUNS = 7
LIMIT = 60      # s, for one connection
PROMPT = b"\n> "
OPTIONS = ("-F", "none", "-tt", "-q", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentityFile=none",
           "-o", "IdentityAgent=none")


def to_prompt(port):
    """Run ssh until the prompt is there and return the ms that took."""
    start = time.monotonic()
    process = subprocess.Popen(["ssh", *OPTIONS, "-p", str(port), "root@127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        said = b""
        while PROMPT not in said:
            if not select.select([process.stdout], [], [], LIMIT)[0]:
                raise ValueError(f"no prompt within {LIMIT} s; ssh printed {said!r}")
            more = os.read(process.stdout.fileno(), 65536)
            if not more:
                raise ValueError(f"ssh ended before the prompt; it printed {said!r}")
            said += more
        return (time.monotonic() - start) * 1000
    finally:
        process.kill()
        process.communicate()


def measure(of):
    """{figure: ms of the first connection of a boot; ms of a later one, the median; its guest instructions}."""
    if of.name != "keelback":
        return {}
    port = qemu.free_forwards({22: 0})[22]
    with of.boot(net="user", forwards={22: port}) as guest:
        guest.network("debug")
        figures = {"ssh, first": to_prompt(port), "ssh": boot.median(lambda: to_prompt(port), RUNS)}
    with of.boot(net="user", forwards={22: port}, icount=0, sleep=True) as guest:
        guest.network("debug")
        to_prompt(port)
        return {**figures, "ssh, instructions": guest.instructions(lambda: to_prompt(port))}
