"""shell/registry.py: the declarations of all commands, and the help made from them."""

from check import raises, run, same
from shell import registry, syntax

# Name and syntax of every command, as documented.
DOCUMENTED = (
    ("build", ""),
    ("cat", "<path>"),
    ("cpuid", "<leaf> <subleaf>"),
    ("date", "(RFC3339|ntp)? (<server>)?"),
    ("dns", "<host>"),
    ("efivar", "(verbose)?"),
    ("exit,quit", ""),
    ("exit-boot-services", ""),
    ("halt,shutdown", ""),
    ("help", ""),
    ("info", ""),
    ("ls", "(<path>)?"),
    ("lspci", ""),
    ("msr", "<hex addr>"),
    ("net", "(<ip> <mac> <gw>)? (debug)?"),
    ("net-down", ""),
    ("net-uefi", "(<ip> <mac> <gw>)? (debug)?"),
    ("net-virtio", "(<ip> <mask> <gw>)? (debug)?"),
    ("peek", "<hex addr> <size>"),
    ("poke", "<hex addr> <hex value>"),
    ("python", ""),
    ("reset", "(cold|warm)?"),
    ("sev", "(verbose)?"),
    ("sev-kdf", "..."),
    ("sev-report", "(raw|verify|json|full)? ..."),
    ("sev-tsc", ""),
    ("stack", ""),
    ("stackall", ""),
    ("stat", "<path>"),
    ("uefi", ""),
    ("uptime", ""),
    ("virtio-net", "(<ip> <mask> <gw>)? (debug)?"),
)


def test_documented_commands_in_order():
    same(tuple([(c.names, c.syntax) for c in registry.commands()]), DOCUMENTED)


def test_every_syntax_parses():
    for c in registry.commands():
        text = registry.grammar(c)
        syntax.items(text)
        same((bool(syntax.options(text)), text), (c.syntax.endswith("..."), (c.syntax + " " + c.options).rstrip()))


def test_aliases_find_the_same_command():
    assert registry.find("quit") is registry.find("exit") is not None
    same(registry.find("exit,quit"), None)
    same(registry.find("nonsense"), None)


def test_help_columns():
    lines = registry.help_text().split("\n")
    same(lines.pop(), "")
    same(len(lines), len(DOCUMENTED))
    at = lines[0].index("# ")
    for line, (names, text) in zip(lines, DOCUMENTED):
        assert line.startswith(names + " ") and line[at : at + 2] == "# " and len(line) <= 80, line
        same(line[len(names) : at].strip(), text)


def test_help_of_a_programs_own():
    before = registry.help_text()
    assert registry.help_text() is before
    registry.command("zz-own", "<word>", "what it does")(lambda ctx, word: None)
    same(registry.help_text().split("\n")[-2].split(), ["zz-own", "<word>", "#", "what", "it", "does"])


def test_a_name_twice_fails():
    declare = registry.command("help", "", "")
    raises(ValueError, declare, lambda ctx: None)


run(globals())
