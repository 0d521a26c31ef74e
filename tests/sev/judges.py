"""sev/verify.py as a judge, on MicroPython's unix port, which has module crypto."""

import json
import os
import pathlib
import subprocess

import identity
import qemu

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parents[1]
LIMIT = 240  # s


class Judge:
    """Hands cases to judge.py; roots: as there."""

    def __init__(self, file, roots=None):
        self.file = file
        self.roots = roots

    def cases(self, *cases):
        """cases: (report, certificates, policy, time, revocation lists), the last three may be left out. Returns a list of {"ok", "line", "checks"}."""
        return self._run({"cases": [self._case(*case) for case in cases]})

    def one(self, report, certificates, policy="", now=identity.NOW, crls=()):
        """Returns (final line, {check: (verdict, detail)})."""
        result = self.cases((report, certificates, policy, now, crls))[0]
        assert result["ok"] == result["line"].startswith("Verification succeeded"), result
        return result["line"], {name: (verdict, detail) for name, verdict, detail in result["checks"]}

    def flips(self, report, certificates, steps, policy=""):
        """steps: bytes from one flip to the next, for the report and each certificate. Returns [count, those that passed]."""
        return self._run({"cases": [self._case(report, certificates, policy)], "flips": steps})

    def read(self, certificates):
        """Returns [[subject, product whose root it is, may it sign, how far, [by which of them it is signed]]]."""
        return self._run({"read": [c.hex() for c in certificates]})

    def _case(self, report, certificates, policy="", now=identity.NOW, crls=()):
        return {"report": report.hex(), "certificates": [c.hex() for c in certificates], "policy": policy, "now": now, "crls": [c.hex() for c in crls]}

    def _run(self, job):
        self.file.write_text(json.dumps({"roots": self.roots, **job}))
        path = os.pathsep.join(map(str, [ROOT, ".frozen"]))
        done = subprocess.run([qemu.BUILD / "unix" / "micropython", "-X", "heapsize=16M", HERE / "judge.py", self.file], cwd=ROOT, timeout=LIMIT,
                              env={**os.environ, "MICROPYPATH": path}, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)
