"""The debug server over HTTP: what of this machine net/pprof.py shows, and where that comes from."""

# SPDX-License-Identifier: BSD-3-Clause

import gc
import sys

import _frames
import _prof
import clock
import efi

from net.http import Server
from net.pprof import Profiles
from shell import errors, tasks


def start(port=80):
    """Serve profiles at /debug/pprof/. -> the server, with .port and .close(). Raises OSError, for example EADDRINUSE."""
    server = Server(errors.log)
    Profiles(System()).mount(server)
    return server.start(port)


class System:
    """What net/pprof.py wants to know."""

    profiler = _prof

    def tasks(self):
        """-> [(name, state, frames)]: the one that runs first, then the others, oldest first."""
        current = tasks.current()
        told = [(_name(current), "running", _frames.current())]
        for task in tasks.alive():
            if task is not current:
                frames = _frames.of(task.coro)
                told.append((_name(task), "waiting" if frames else "finished", frames))
        return told

    def vars(self):
        """-> the numbers of the moment, for JSON."""
        faces = [_interface(interface) for interface in _interfaces()]
        return {
            "uptime_ms": clock.ns() // 1000000,
            "idle_ms": clock.idle_ns() // 1000000,
            "heap_used": gc.mem_alloc(),
            "heap_free": gc.mem_free(),
            "tasks": len(tasks.alive()),
            "received": sum([face["counters"].get("bytes received", 0) for face in faces]),
            "sent": sum([face["counters"].get("bytes sent", 0) for face in faces]),
            "network": faces,
        }

    def about(self):
        """-> [(label, value)] of the build."""
        from _build import INFO  # frozen by the build

        return list(INFO) + [("Python", sys.version), ("Mode", "firmware" if efi.boot_services() else "bare")]

    def arguments(self):
        """-> the program's name and its load options."""
        return ["keelback.efi"] + efi.load_options().split()


def _name(task):
    return "task %#x" % id(task)


def _interfaces():
    from shell import network

    return [network.interface] if network.interface else []


def _interface(interface):
    counters = dict(interface.counters())
    counters.update(interface.nic.stats())
    return {
        "name": interface.name,
        "mac": ":".join(["%02x" % b for b in interface.nic.mac]),
        "link": interface.link(),
        "addresses": ["%s/%d" % pair for pair in interface.addresses()],
        "counters": counters,
    }
