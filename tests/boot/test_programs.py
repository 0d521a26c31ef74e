"""boot.py and main.py of the boot volume: they run in order, and whatever they do, the shell comes."""

import pytest

import vm as console

GREETING = "keelback • micropython"


@pytest.fixture
def programs(boot):
    """A function that boots with the given boot.py and main.py (None: none)."""
    def start(boot_py=None, main_py=None, **options):
        return boot(files={n: text for n, text in (("boot.py", boot_py), ("main.py", main_py)) if text is not None}, **options)
    return start


def test_order(programs):
    machine = programs("print('this is boot.py')\nx = 1\n", "print('this is main.py', x, __name__)\n")
    text = machine.greeting
    assert 0 < text.index("this is boot.py") < text.index("this is main.py 1 __main__") < text.index(GREETING)


def test_errors(programs):
    """Tracebacks of both, and the shell."""
    machine = programs("def f():\n    1 // 0\nf()\n", "import nothing_like_it\n")
    text = machine.greeting
    assert 'File "boot.py", line 3, in <module>\n  File "boot.py", line 2, in f\nZeroDivisionError: divide by zero' in text
    assert "ImportError: no module named 'nothing_like_it'" in text and GREETING in text
    assert machine.command("uptime").strip()


@pytest.mark.parametrize("name, text", [
    ("syntax", "def f(:\n"), ("binary", "\x00\x01\x02\n"), ("empty", ""), ("SystemExit", "raise SystemExit\n"),
    ("stdin", "import sys\nsys.stdout.write('\\r\\n> ')\n"), ("command", "from shell.registry import command\n\n@command('mine', '<word>', "
     "'say it')\ndef mine(ctx, word):\n    return 'I say ' + word + '\\n'\n"),
    ("task", "import asyncio\n\nasync def f():\n    await asyncio.sleep_ms(20)\n    print('slept')\n\nasyncio.run(f())\n"),
])
def test_odd_program(programs, name, text):
    machine = programs(text, wait=False)
    machine.expect(rb"uptime .*\n> \Z", console.BOOT_LIMIT)
    if name == "command":
        assert machine.command("mine hello") == "I say hello\n\n"
        assert "mine " in machine.command("help")
    else:
        assert "second" in machine.command("uptime") + machine.command("uptime")


def test_endless(programs):
    """An endless loop in each of them yields to Ctrl-C, and the next stage goes on."""
    machine = programs("print('looping')\nwhile True: pass\n", "print('looping again')\nwhile True: pass\n", wait=False)
    machine.expect(rb"looping\r\n", console.BOOT_LIMIT)
    machine.send("\x03")
    machine.expect(rb"KeyboardInterrupt.*looping again\r\n", 30)
    machine.send("\x03")
    machine.expect(rb"KeyboardInterrupt.*\n> \Z", 30)
    assert machine.command("uptime").strip()


def test_files(programs, tmp_path):
    """The volume's files are there, can be changed in memory, and are not changed on the volume."""
    machine = programs("open('new.txt', 'w').write('new')\nopen('boot.py', 'a').write('#')\n")
    assert machine.command("cat new.txt") == "new\n\n" and machine.command("cat boot.py").rstrip().endswith("#")
    assert (tmp_path / "volume0" / "boot.py").read_text().endswith("('#')\n")
