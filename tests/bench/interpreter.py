"""Interpreter speed, in guest instructions: the same scripts in Keelback and in the Linux guest.

Both return {suite: {test: microseconds}}, perf_bench as [us per unit of work, result].
"""
import re
import sys

import linuxguest
import qemu
import rawrepl
import scripts
from vm import Machine

OWN = ("micro", "gcbench", "strings")
SUITES = ("perf", *OWN)
HEAP = "-X heapsize=64m"    # the unix port's own is 2 MiB, too small for our scripts; perf_bench runs with that
MEM = "256M"
SCRIPT_LIMIT = 600      # s


def parse(suite, name, output):
    return scripts.perf_result(output) if suite == "perf" else scripts.line_results(name, output)


def merge(suites, results):
    """{(suite, script): figures} -> {suite: {test: figure}}."""
    merged = {suite: {} for suite in suites}
    for (suite, name), figures in results.items():
        merged[suite].update({name: figures} if suite == "perf" else figures)
    return merged


def collect(suites, micropython):
    """{(suite, name): script} of the suites asked for."""
    found = {}
    for suite in suites:
        for name, script in (scripts.perf(micropython) if suite == "perf" else scripts.lines(suite)).items():
            found[suite, name] = script
    return found


def in_keelback(volume, suites, micropython):
    """Run the suites in one booted machine, each script in a fresh interpreter.

    A script that fails is reported and has no figures.
    """
    options = qemu.Options.from_environment(volume=volume, icount=0, mem=MEM)
    results = {}
    with Machine(options) as vm:
        vm.wait_prompt()
        for (suite, name), script in collect(suites, micropython).items():
            output, error = rawrepl.run(vm, script, SCRIPT_LIMIT)
            if error:
                print(f"{name} failed in Keelback: {error}", file=sys.stderr)
            else:
                results[suite, name] = parse(suite, name, output)
    return merge(suites, results)


def in_linux(guest, suites, micropython):
    """Run the suites in the Linux guest, each script in a process of its own. guest: LinuxGuest."""
    found = collect(suites, micropython)
    jobs = [f"/micropython {'' if suite == 'perf' else HEAP} /{name}.py" for suite, name in found]
    files = {f"{name}.py": script.encode() for (_, name), script in found.items()}
    initrd = guest.job_initrd(jobs, files)
    options = qemu.Options.from_environment(kernel=guest.kernel(), append=f"{linuxguest.CMDLINE} rdinit=/init", icount=0,
                                            mem=MEM, extra=("-initrd", str(initrd)), reboot=False)
    with Machine(options) as vm:
        results = {}
        for n, (suite, name) in enumerate(found):
            answer = vm.expect(rb"@job %d\r\n(.*?)\n@exit %d (-?\d+)" % (n, n), SCRIPT_LIMIT)
            output = re.sub(r"\r", "", answer[1].decode(errors="replace"))
            if answer[2] != b"0":
                raise ValueError(f"{name} ended with status {int(answer[2])} in the Linux guest: {output[-300:]!r}")
            results[suite, name] = parse(suite, name, output)
    return merge(suites, results)
