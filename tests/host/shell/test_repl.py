"""shell/repl.py: a Python prompt over a stream, byte for byte what a user sees."""

from check import run, same
from talk import talk

HEAD = "> python\n"


def repl(*chunks):
    """-> what the prompt showed, from the first `>>> ` on."""
    out = talk(b"python\r", *chunks)
    assert out.startswith(HEAD), out
    return out[out.index(">>> ") :]


def typed(text):
    """Chunks as a user types: a line at a time, and not as fast as a paste comes."""
    chunks = []
    for line in text.split("\n"):
        chunks += [line.encode() + b"\r", 50]
    return chunks


def test_expressions_and_underscore():
    same(repl(*typed("1+1\n_*2\nNone"), b"\x04"), ">>> 1+1\n2\n>>> _*2\n4\n>>> None\n>>> \n> ")


def test_names_stay_for_the_next_time():
    out = talk(b"python\r", b"kept = 5\r", b"\x04", b"python\r", b"kept\r", b"\x04")
    assert ">>> kept\n5\n" in out


def test_compound_statements_indent_themselves():
    out = repl(*typed("for i in range(2):\nprint(i)\n"), b"\x04")
    same(out, ">>> for i in range(2):\n...     print(i)\n...     \n0\n1\n>>> \n> ")


def test_nested_blocks_and_backspace():
    chunks = typed("def f(x):\nif x:\nreturn 1") + [b"\x7freturn 2\r", b"\r", b"f(0), f(1)\r", b"\x04"]
    assert "\n(2, 1)\n" in repl(*chunks)


def test_a_paste_is_not_indented():
    out = repl(b"for i in range(2):\r    if i:\r        print('p', i)\r\r", b"\x04")
    assert "\np 1\n>>> " in out, out


def test_a_paste_in_pieces_is_not_indented():
    out = repl(b"for i in range(2):\r", b"    if i:\r", b"        print('p', i)\r", b"\r", b"\r", b"\x04")
    assert "\np 1\n>>> " in out, out


def test_traceback_shows_the_users_frames_only():
    out = repl(*typed("def f():\n1/0\n\nf()"), b"\x04")
    expected = (
        "Traceback (most recent call last):\n"
        '  File "<stdin>", line 1, in <module>\n'
        '  File "<stdin>", line 2, in f\n'
        "ZeroDivisionError: divide by zero\n>>> "
    )
    assert expected in out, out


def test_syntax_error():
    out = repl(b"1 +\r", b"ok = 1\r", b"\x04")
    assert '  File "<stdin>", line 1\nSyntaxError: invalid syntax\n>>> ok' in out, out


def test_whatever_is_raised_stays_here():
    for what in ("KeyboardInterrupt", "MemoryError", "GeneratorExit", "StopIteration"):
        out = repl(b"raise %s\r" % what, b"'alive'\r", b"\x04")
        assert "'alive'\n>>> " in out, out


def test_system_exit_returns_to_the_shell():
    same(repl(b"raise SystemExit\r", b"uptime\r")[:29], ">>> raise SystemExit\n> uptime")


def test_interrupt_drops_the_statement():
    same(repl(b"x = (1,\r", b"2\x03", b"'free'\r", b"\x04").split("\n")[-4:], [">>> 'free'", "'free'", ">>> ", "> "])


def test_paste_mode():
    out = repl(b"\x05", b"for i in range(2):\r    print('q', i)\r\r", b"\x04", b"\x04")
    assert "paste mode; Ctrl-C to cancel, Ctrl-D to finish\n=== for" in out, out
    assert "q 0\nq 1\n>>> " in out, out


def test_paste_mode_cancelled():
    out = repl(b"\x05", b"print('never')\r\x03", b"\x04")
    same(out.count("never"), 1)


def test_completion():
    out = repl(b"import sys\r", b"sys.implementat\t\r", b"\x04")
    assert "sys.implementat" in out and "\n(name='micropython'" in out, out


def test_tab_indents_at_the_start():
    out = repl(b"if 1:\r", b"\x15\t'in'\r", b"\r", b"\x04")
    assert "'in'\n>>> " in out, out


def test_event_loop_of_the_user():
    chunks = typed("import asyncio\nasync def g():\nawait asyncio.sleep_ms(1)\nreturn 7\n\nasyncio.run(g())")
    assert "\n7\n>>> " in repl(*chunks, b"\x04")


def test_background_task_goes_on_at_the_prompt():
    chunks = typed("import asyncio\nseen = []\nasync def g():\nawait asyncio.sleep_ms(5)\nseen.append(1)\n")
    out = repl(*chunks, b"t = asyncio.create_task(g())\r", 30, b"seen\r", b"\x04")
    assert ">>> seen\n[1]\n" in out, out


def test_interrupted_code_leaves_no_tasks():
    chunks = typed("import asyncio\nlate = []\nasync def g():\nawait asyncio.sleep_ms(5)\nlate.append(1)\n")
    chunks += typed("def stop():\nasyncio.create_task(g())\nraise KeyboardInterrupt\n\nstop()")
    out = repl(*chunks, 30, b"late\r", b"\x04")
    assert ">>> late\n[]\n" in out, out


def test_line_too_long():
    out = repl(b"x" * 50000 + b"\r", b"'alive'\r", b"\x04")
    assert "line too long\n>>> 'alive'\n" in out, out[-200:]


def test_end_of_stream_inside():
    repl(b"x = (1,\r")


run(globals())
