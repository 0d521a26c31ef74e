"""A hardened build (make HARDENED=1): whose console is the host's, and what that console may therefore not do.

The serial line, the boot volume and the options are the host's, whoever types there. So in such a build commands that
show or change memory are not there; those that could show what a program holds (private ones) are for a session over
SSH whose user proved to have a key; and keys, files and code of the boot volume count for nothing.
port/main.c does the part of it that comes before Python: no raw REPL, no prompt of the interpreter, no code from the volume.
"""

# SPDX-License-Identifier: BSD-3-Clause

from _build import HARDENED

ABSENT = ("shell.commands.mem",) if HARDENED else ()  # modules of commands


def allows(record, session):
    """May this session run this command?"""
    return not (HARDENED and record.private) or session.trusted
