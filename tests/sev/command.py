# Run `sev-report verify` in the shell over a made-up guest: command.py FILE, under MicroPython's unix port, tests/fakes first.
#
# FILE is JSON: {"private": the VCEK's key, "table": the host's certificate table, "folder": what stands for /attest, "served":
# {path: contents} of AMD's server or null for no network, "line": the command, "hardened": bool}; bytes in hexadecimal.
# Prints JSON: {"shown": text, "asked": [addresses]}.
import json
import sys
from binascii import unhexlify

sys.path.pop(0)  # this folder, named as what is tested

import _repl

with open(sys.argv[1]) as f:
    job = json.load(f)
_repl.HARDENED = job["hardened"]

import ghcb
import psp
from shell import attest
from talk import command

asked = []


class Network:
    interface = "up"


async def fetch(address):
    asked.append(address)
    path = address.partition("://")[2].partition("/")[2]
    if path not in job["served"]:
        raise OSError("404 Not Found")
    return unhexlify(job["served"][path])


if job["served"] is not None:
    sys.modules["shell.network"] = Network
    attest._fetch = fetch
attest.FOLDER = job["folder"]
card = psp.Psp()
card.private, card.report_version = unhexlify(job["private"]), 5
for name, value in job["guest"].items():
    setattr(card, name, value)
ghcb.install(card, unhexlify(job["table"]))
print(json.dumps({"shown": command(job["line"]), "asked": asked}))
