"""The line editor over the serial line: what a user's keys do, judged by the command that runs in the end."""

import time

import pytest

import vm as console

UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
HOME, END, DELETE, WORD_LEFT, WORD_RIGHT = "\x1b[H", "\x1b[F", "\x1b[3~", "\x1b[1;5D", "\x1b[1;5C"


def unknown(vm, keys):
    """Type keys and Enter; return the word that the shell does not know."""
    vm.send(keys + "\r")
    answer = vm.wait_prompt(20)
    assert "unknown command `" in answer, answer
    return answer.rsplit("unknown command `", 1)[1].split("`")[0]


@pytest.mark.parametrize("keys, line", [
    ("zabc", "zabc"),
    ("zabx\x7fc", "zabc"),
    ("zabx\bc", "zabc"),
    ("zac" + LEFT + "b", "zabc"),
    ("zac\x02b", "zabc"),
    ("abc" + HOME + "z", "zabc"),
    ("abc\x01z", "zabc"),
    ("abc\x1b[1~z", "zabc"),
    ("zab" + HOME + END + "c", "zabc"),
    ("zab\x01\x05c", "zabc"),
    ("zaxbc" + LEFT * 3 + DELETE, "zabc"),
    ("zaxbc" + LEFT * 3 + "\x04", "zabc"),
    ("zabc junk" + LEFT * 5 + "\x0b", "zabc"),
    ("junk zabc" + LEFT * 4 + "\x15", "zabc"),
    ("zabc_one\x17zabc", "zabc"),
    ("two zabc" + WORD_LEFT + WORD_LEFT + "\x1bd" + DELETE, "zabc"),
    ("zabc\x15\x19", "zabc"),
    ("zabé日" + LEFT + "\x7f" + DELETE + "c", "zabc"),
    ("zab\x1b[5;5~\x1b[99zc\x1bOPc\x7f", "zabc"),
    ("zab\x0cc", "zabc"),
    ("x" * 200 + "\x15zabc", "zabc"),
])
def test_keys(vm, keys, line):
    assert unknown(vm, keys) == line


def test_history(vm):
    for word in ("zone", "ztwo", "zthree"):
        unknown(vm, word)
    assert unknown(vm, UP) == "zthree"
    assert unknown(vm, UP * 3) == "zone"
    assert unknown(vm, UP + UP + UP + DOWN) == "zthree"  # zone is the newest now, then zthree (once)
    assert unknown(vm, "begun" + UP + DOWN) == "begun"
    assert unknown(vm, "\x10") == "begun"
    assert unknown(vm, UP + "X") == "begunX"
    assert unknown(vm, UP * 500 + DOWN * 500 + "zlast") == "zlast"


def test_ctrl_c_and_d(vm):
    """Ctrl-C drops the line; Ctrl-D on an empty line does nothing: the console has nobody to say goodbye to."""
    vm.send("half a line\x03")
    vm.wait_prompt(10)
    vm.send("\x04\x04")
    assert unknown(vm, "zalive") == "zalive"


def test_completion(vm):
    vm.send("stacka\t")
    vm.expect(rb"stackall \Z", 10)
    vm.send("\r")
    assert "task 0x" in vm.wait_prompt(20)
    vm.send("re\t")
    vm.expect(rb"reset \Z", 10)
    vm.send("w\t")
    vm.expect(rb"warm \Z", 10)
    vm.send("\x15ex\t\t")
    listed = console.plain(vm.expect(rb"exit-boot-services.*> exit\Z", 10)[0])
    assert "exit" in listed
    vm.send("\x15stat /E\t")
    vm.expect(rb"EFI/\Z", 10)
    vm.send("B\t")
    vm.expect(rb"BOOT/\Z", 10)
    vm.send("\r")
    assert "directory" in vm.wait_prompt(20)
    assert unknown(vm, "znothing\t\t") == "znothing"


def test_paste(vm):
    """Several commands in one piece run one after the other, whatever ends their lines."""
    lines = [f"zc{i}" for i in range(60)]
    for end in ("\r", "\n", "\r\n"):
        vm.send(end.join(lines) + end + "uptime\r")
        vm.expect(rb"zc59`.*?uptime.*?(?:second|minute|hour).*?\n> \Z", 60)
    text = console.plain(bytes(vm.console[-40000:]))
    assert all(text.count(f"unknown command `{line}`") >= 3 for line in lines)


def test_typing_ahead(vm):
    """What is typed while a command runs is kept for the next prompt."""
    vm.send("peek 200000 65536\r")
    vm.expect(rb"00200000 ", 10)
    vm.send("zahead\r")
    vm.expect(rb"unknown command `zahead`.*\n> \Z", 60)


def test_interrupt_output(vm):
    """Ctrl-C ends a command that writes and writes, at once; wherever it is between its pieces of output."""
    for i in range(30):
        vm.send("peek 1000000 1048576\r")
        vm.expect(rb"01001000 ", 30)
        time.sleep(i / 3000)
        vm.send("\x03")
        assert "command error, interrupted" in vm.wait_prompt(20)
