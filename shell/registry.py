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

# Every module that declares commands, by help group.
MODULES = (
    "shell.commands.system",
    "shell.commands.cpu",
    "shell.commands.mem",
    "shell.commands.uefi",
    "shell.commands.fs",
    "shell.commands.pci",
)

_commands = {}  # every name and alias -> Command
_loaded = False


class CommandError(Exception):
    """What the user is told, in one line, after `command error, `."""


class Command:
    """One command. names: "exit,quit" has an alias. terminal: see command()."""

    def __init__(self, names, syntax, help, handler, terminal):
        self.names = names
        self.syntax = syntax
        self.help = help
        self.handler = handler
        self.terminal = terminal


def command(names, syntax, help, terminal=False):
    """Declare the function below as the handler of a command.

    terminal: it is a coroutine that owns the session's terminal until it returns.
    A program may declare its own, from boot.py on; ValueError for a name that is taken.
    """
    load()

    def declare(handler):
        record = Command(names, syntax, help, handler, terminal)
        for name in names.split(","):
            if name in _commands:
                raise ValueError("command declared twice: " + name)
            _commands[name] = record
        return handler

    return declare


def load():
    """Import every module of MODULES; the first call does the work."""
    global _loaded
    if not _loaded:
        _loaded = True  # first, since these modules declare
        for module in MODULES:
            __import__(module)


def find(name):
    """-> the Command of exactly this name or alias, or None."""
    load()
    return _commands.get(name)


def names():
    """-> all names and aliases, sorted."""
    load()
    return sorted(_commands)


def commands():
    """-> all records, in the order of their first names."""
    load()
    return [_commands[name] for name in sorted({c.names.split(",")[0] for c in _commands.values()})]


def help_text():
    """-> one line for each command: name, arguments, `# what it does`, in columns."""
    records = commands()
    name_len = max([len(c.names) for c in records]) + 1
    syntax_len = max([len(c.syntax) for c in records]) + 1
    form = "%%-%ds%%-%ds# %%s\n" % (name_len, syntax_len)
    return "".join([form % (c.names, c.syntax, c.help) for c in records])
