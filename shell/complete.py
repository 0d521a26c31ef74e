"""What Tab makes of a command line: command names, the words of a choice, paths."""

# SPDX-License-Identifier: BSD-3-Clause

import os

from shell import registry, syntax

_DIRECTORY = 0x4000


def command(line, paths=True):
    """Complete the last word of line (bytes, up to the cursor). paths: whether what files there are may be shown.

    -> (offset of the word, its replacement, candidates to list), or None; all bytes.
    """
    words = syntax.scan(line)
    if words and (words[-1].quote or line[-1] not in (0x20, 0x09)):
        word = words.pop()
    else:
        word = syntax.Word(len(line))
    if not words:
        return _best(word, [(name, True) for name in registry.names()], "")
    record = registry.find(str(words[0]))
    if not record:
        return None
    text = registry.grammar(record)
    grammar = [(choices, name) for choices, names, _ in syntax.items(text) for name in names]
    options = dict(syntax.options(text))
    choices, name = grammar[len(words) - 1] if len(words) <= len(grammar) else (None, options.get(str(words[-1])))
    if name == "path":
        return _path(word) if paths else None
    if name is None or choices is not None:
        choices = (choices or []) + [option for option in options if option not in [str(w) for w in words]]
    return _best(word, [(choice, True) for choice in choices or ()], "")


def _path(word):
    text = str(word).replace("\\", "/")
    cut = text.rfind("/") + 1
    try:
        entries = [(e[0] + "/", False) if e[1] == _DIRECTORY else (e[0], True) for e in os.ilistdir(text[:cut] or ".")]
    except OSError:
        return None
    return _best(word, entries, text[:cut], text[cut:])


def _best(word, entries, folder, start=None):
    """entries: (name, whether it ends the word). -> as command()."""
    start = str(word) if start is None else start
    found = sorted([e for e in entries if e[0].startswith(start)])
    if not found:
        return None
    common = _common([name for name, _ in found])
    complete = len(found) == 1 and found[0][1]
    if len(common) == len(start) and not complete:
        return word.start, None, [name.encode() for name, _ in found] if len(found) > 1 else ()
    text = folder + common
    mark = syntax.quoted(text)
    if complete:
        text = mark + " "
    elif mark != text or word.quote:
        text = (mark[0] if mark != text else chr(word.quote)) + text
    return word.start, text.encode(), ()


def _common(names):
    """-> the longest start that sorted names share."""
    first, last = names[0].encode(), names[-1].encode()
    n = 0
    while n < min(len(first), len(last)) and first[n] == last[n]:
        n += 1
    while n < len(first) and first[n] & 0xC0 == 0x80:
        n -= 1
    return str(first[:n], "utf-8")
