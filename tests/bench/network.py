"""The parts of the network benchmark: {part: function of a side (netguests.py) -> {figure: value}}."""
import time

import boot
import netbulk
import nethttp
import netpeer
import netssh
import qemu


def idle(of):
    """{figure: share of a host core, in percent, that QEMU uses while the network is up and nothing comes}."""
    port = qemu.free_forwards({80: 0})[80]
    with of.boot(net="user", forwards={80: port}) as guest:
        if of.name == "keelback":
            guest.network()
        time.sleep(2)
        before = guest.vm.cpu_time()
        time.sleep(boot.IDLE_TIME)
        return {"idle, network up": 100 * (guest.vm.cpu_time() - before) / boot.IDLE_TIME}


PARTS = {"http": nethttp.instructions, "http_wall": nethttp.wall, "bulk": netbulk.instructions, "bulk_wall": netbulk.wall,
         "udp": netpeer.udp, "ping": netpeer.ping, "first_ping": netpeer.first_ping, "ssh": netssh.measure, "net_idle": idle}
FRESH = {"http_wall", "bulk_wall"}  # wall time drifts on a shared host: both sides are measured in every run
