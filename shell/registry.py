"""The commands of the shell: what one is, where they are declared, how a name finds one.

A command is one record next to its handler:

    @command("stat", "<path>", "show file information")
    def stat(ctx, path): ...

The syntax string is the only statement of its grammar (shell/syntax.py); help, completion and
docs/shell.md are made from these records. A handler returns text or yields it: a str that is
yielded is a line, bytes are written as they are. It never prints and knows no transport; what it
needs of the session is on ctx (shell/session.py). It fails by raising: CommandError, OSError and
ValueError become one line, anything else one line and a traceback on the serial log.
"""

# SPDX-License-Identifier: BSD-3-Clause

from collections import namedtuple

from _repl import HARDENED

# Every module that declares commands, by help group.
MODULES = (
    "shell.commands.system",
    "shell.commands.cpu",
    "shell.commands.mem",
    "shell.commands.uefi",
    "shell.commands.fs",
    "shell.commands.pci",
    "shell.commands.net",
    "shell.commands.dns",
    "shell.commands.sev",
)

# In a hardened build (docs/sev.md) the console is the host's, whoever types there. These commands are not there at all,
_RAW = ("shell.commands.mem",)
KEYED = "a hardened build has this over SSH with a key only"  # and to private ones that is the answer

_records = []  # of Commands, as declared
_by_name = {}  # every name and alias -> Command; filled when a name is first looked for
_loaded = False  # our own modules are being imported, or were
_complete = False  # they were
_help = None  # help_text(), once it was asked for


class CommandError(Exception):
    """What the user is told, in one line, after `command error, `."""


# names: "exit,quit" has an alias. terminal, waits, private, options: see command().
Command = namedtuple("Command", ("names", "syntax", "help", "handler", "terminal", "waits", "private", "options"))


def command(names, syntax, help, terminal=False, waits=False, private=False, options=""):
    """Declare the function below as the handler of a command.

    terminal: it is a coroutine that owns the session's terminal until it returns. waits: it is a
    coroutine that others run beside, returns text, and is cancelled by Ctrl-C. private: it can show or
    change what the machine holds. options: the rest of the grammar, which the help does not show; the syntax ends in "...".
    A program may declare its own, from boot.py on; ValueError for a name that is taken.
    """
    load()

    def declare(handler):
        global _help
        _help = None
        record = Command(names, syntax, help, handler, terminal, waits, private, options)
        if _complete:  # a program's: a name that is taken must fail there and then
            _names()
            _index(record)
        _records.append(record)
        return handler

    return declare


def load():
    """Import every module of MODULES; the first call does the work."""
    global _loaded, _complete
    if not _loaded:
        _loaded = True  # first, since these modules declare
        for module in MODULES:
            if not (HARDENED and module in _RAW):
                __import__(module)
        _complete = True


def find(name):
    """-> the Command of exactly this name or alias, or None."""
    return _names().get(name)


def names():
    """-> all names and aliases, sorted."""
    return sorted(_names())


def commands():
    """-> all records, in the order of their names."""
    load()
    found = {c[0]: c for c in _records}  # texts are compared much sooner than records
    return [found[names] for names in sorted(found)]


def grammar(record):
    """-> the syntax string with the options."""
    return record.syntax + " " + record.options if record.options else record.syntax


def help_text():
    """-> one line for each command: name, arguments, `# what it does`, in columns.

    A name without arguments may reach into their column.
    """
    global _help
    _help = _help or _columns(commands())
    return _help


def _columns(records):
    name_len = max([len(c.names) for c in records if c.syntax]) + 1
    left_len = max([name_len + len(c.syntax) if c.syntax else len(c.names) for c in records]) + 1
    # One formatting for all lines: this is part of every boot.
    forms = "%%-%ds%%.0s# %%s\n" % left_len, "%%-%ds%%-%ds# %%s\n" % (name_len, left_len - name_len)
    words = []
    for c in records:
        words += c[:3]
    return "".join([forms[c.syntax != ""] for c in records]) % tuple(words)


def _names():
    load()
    if not _by_name:
        for record in _records:  # a name declared twice by our own modules fails here
            _index(record)
    return _by_name


def _index(record):
    for name in record.names.split(","):
        if name in _by_name:
            raise ValueError("command declared twice: " + name)
        _by_name[name] = record
