"""Fake of the C module _repl. redirect() catches print() and the REPL's results, not sys.stdout."""

import builtins

_COMPOUND = ("if", "while", "for", "try", "with", "def", "class", "async", "@")

HARDENED = False

raw_calls = []  # what raw() was given
typed = []  # what each take() finds, bytes


def raw(pending=b""):
    raw_calls.append(pending)
    return False


def complete(text):
    """Names of __main__ and of builtin modules' attributes, as far as dir() knows them."""
    word = text
    for c in " ([{,=+-*/":
        word = word[word.rfind(c) + 1 :]
    owner, dot, start = word.rpartition(".")
    scope = __import__("__main__")
    try:
        for name in owner.split(".") if owner else ():
            scope = getattr(scope, name)
    except AttributeError:
        return ""
    names = sorted([n for n in dir(scope) if n.startswith(start) and (start or n[0] != "_")])
    if len(names) == 1:
        return names[0][len(start) :]
    return tuple(names) if names else ""


def take(buffer):
    data = typed.pop(0)
    chunk, rest = data[: len(buffer)], data[len(buffer) :]
    if rest:
        typed.insert(0, rest)
    buffer[: len(chunk)] = chunk
    return len(chunk)


def interruptible(function, *args):
    return function(*args)


shielded = interruptible


def interrupt():
    raise KeyboardInterrupt


def incomplete(text):
    """Good enough a copy of mp_repl_continue_with_input() for code in tests."""
    for mark in ('"""', "'''"):
        if text.count(mark) % 2:
            return True
    if [p for p in ("()", "[]", "{}") if text.count(p[0]) > text.count(p[1])] or text.endswith("\\"):
        return True
    return text.startswith(_COMPOUND) and not text.endswith("\n")


_print = print
_stream = None


def _print_to_stream(*args, sep=" ", end="\n", file=None):
    if _stream is None or file is not None:
        _print(*args, sep=sep, end=end, **({"file": file} if file else {}))
    else:
        _stream.write((sep.join([str(a) for a in args]) + end).encode())


def _repl_print(value):
    if value is not None:
        builtins._ = value
        print(repr(value))


def redirect(stream):
    global _stream
    previous, _stream = _stream, stream
    builtins.print = _print_to_stream
    builtins.__repl_print__ = _repl_print
    return previous
