"""The grammar of command lines: words, and arguments as a command's syntax string states them.

A syntax string is a row of items; each takes one word of the line:
    <name>      one word, required. A name in TYPES is converted and checked, any other is text
    (a|b)?      one of these words, or nothing (None)
    (<name>)?   like <name>, or nothing (None); so is (NAME)? where NAME is in TYPES
    (<a> <b>)?  as many words as there are names, or nothing (None for each)
    ...         what follows are options, in any order, each once
    (a)?        an option: this word, or nothing (None)
    (a <b>)?    an option: this word and its value, of which the handler gets the value, or nothing (None)
A word that does not fit an optional item is left to the next one. Words are divided by blanks;
'…' and "…" keep blanks in a word; a backslash is an ordinary character, as in EFI paths.
Lines are bytes (UTF-8) here, because indexing text is slow and walking over it interns characters.
"""

# SPDX-License-Identifier: BSD-3-Clause

from shell.registry import CommandError


class Word:
    """A word of a line. start: its offset, quotes included. quote: the quote left open, or 0."""

    def __init__(self, start):
        self.start = start
        self.quote = 0
        self.text = bytearray()

    def __str__(self):
        return str(self.text, "utf-8")


def scan(line):
    """-> the Words of a line; of them only the last may have an open quote."""
    words = []
    word = None
    for i in range(len(line)):
        b = line[i]
        if word and word.quote:
            if b == word.quote:
                word.quote = 0
            else:
                word.text.append(b)
        elif b == 0x20 or b == 0x09:
            word = None
        else:
            if not word:
                word = Word(i)
                words.append(word)
            if b == 0x22 or b == 0x27:
                word.quote = b
            else:
                word.text.append(b)
    return words


def split(line):
    """-> the words of a line as text. Raises CommandError for a quote that is not closed."""
    words = scan(line)
    if words and words[-1].quote:
        raise CommandError("missing closing quote %c" % words[-1].quote)
    return [str(w) for w in words]


def quoted(text):
    """-> text as one word of a command line, in quotes where it needs them."""
    if text and not [c for c in " \t'\"" if c in text]:
        return text
    return "'%s'" % text if '"' in text else '"%s"' % text


def shown(word):
    """-> a user's word for an error message, cut to a readable length."""
    return "`%s`" % (word if len(word) <= 40 else word[:40] + "…")


_MARK = "..."
_grammars = {}  # syntax string: its items() and options()


def items(syntax):
    """-> list of (choices, names, optional) of each item; choices is None where names stand for words of the user's."""
    return _grammar(syntax)[0]


def options(syntax):
    """-> list of (word, name of its value or None) of each option."""
    return _grammar(syntax)[1]


def _grammar(syntax):
    if syntax not in _grammars:
        items, _, options = syntax.partition(_MARK)
        _grammars[syntax] = _parsed(items.rstrip(" ")), [_option(names[0]) for _, names, _ in _parsed(options.lstrip(" "))]
    return _grammars[syntax]


def _option(text):
    word, blank, name = text.partition(" <")
    return word, name or None


def _parsed(syntax):
    out = []
    while syntax:
        end = syntax.find(")?") + 2 if syntax[0] == "(" else syntax.find(">") + 1
        if end < 2 or syntax[0] not in "(<":
            raise ValueError("bad syntax: " + syntax)
        item = syntax[:end]
        optional = item[0] == "("
        text = item[1:-2] if optional else item
        typed = text[0] == "<" or text in TYPES
        out.append((None if typed else text.split("|"), text.strip("<>").split("> <"), optional))
        syntax = syntax[end:].lstrip(" ")
    return out


def bind(syntax, words):
    """Convert words to the arguments that syntax asks for, None for options left out.

    Raises CommandError where a word is missing, does not fit or is left over.
    """
    args = []
    words = list(words)
    grammar, known = _grammar(syntax)
    for item in grammar:
        choices, names, optional = item
        if optional and len(words) < len(names):
            args += [None] * len(names)
        elif not words:
            raise CommandError("missing argument <%s>" % names[0])
        elif choices is None:
            args += [convert(name, words.pop(0)) for name in names]
        elif words[0] in choices:
            args.append(words.pop(0))
        elif item is grammar[-1] and not known:
            raise CommandError("unknown argument %s, expected (%s)" % (shown(words[0]), names[0]))
        else:
            args.append(None)
    if known:
        args += _bind_options(known, words)
    if words:
        raise CommandError("unexpected argument " + shown(words[0]))
    return args


def _bind_options(known, words):
    """-> the value of each option; takes them out of words."""
    values = {}
    names = dict(known)
    while words:
        word = words.pop(0)
        if word not in names:
            raise CommandError("unknown argument %s, expected %s" % (shown(word), ", ".join([option for option, _ in known])))
        if word in values:
            raise CommandError("`%s` twice" % word)
        name = names[word]
        if name and not words:
            raise CommandError("missing argument <%s> of `%s`" % (name, word))
        values[word] = convert(name, words.pop(0)) if name else word
    return [values.get(option) for option, _ in known]


def convert(name, word):
    """-> the value of a word that stands for <name>."""
    if name not in TYPES:
        return word
    try:
        return TYPES[name](word)
    except ValueError as e:
        raise CommandError("invalid <%s> %s, %s" % (name, shown(word), e))


def hexadecimal(word, bits=64):
    """-> the number of a word in hexadecimal, with or without 0x. Raises ValueError."""
    digits = word[2:] if word[:2] in ("0x", "0X") else word
    if not digits or digits.strip("0123456789abcdefABCDEF"):
        raise ValueError("not a hexadecimal number")
    value = int(digits, 16) if len(digits.lstrip("0")) <= bits // 4 else None
    if value is None:
        raise ValueError("more than %d bits" % bits)
    return value


def hex_value(word):
    """-> (value, width in bytes): as many digits as written make 1, 2, 4 or 8 bytes."""
    value = hexadecimal(word)
    digits = len(word) - 2 if word[:2] in ("0x", "0X") else len(word)
    for width in (1, 2, 4, 8):
        if digits <= 2 * width:
            return value, width
    raise ValueError("more than 64 bits")


def size(word):
    """-> a count of bytes, decimal or with 0x in hexadecimal; at least 1."""
    if word[:2] in ("0x", "0X"):
        value = hexadecimal(word)
    elif word.strip("0123456789") or not word or len(word) > 19:
        raise ValueError("not a number of bytes")
    else:
        value = int(word)
    if value < 1:
        raise ValueError("must be at least 1")
    return value


def rfc3339_or_ntp(word):
    """-> "ntp", or the ns of a date."""
    from shell import rfc3339

    return word if word == "ntp" else rfc3339.parse(word)


TYPES = {
    "hex addr": hexadecimal,
    "hex value": hex_value,
    "leaf": lambda word: hexadecimal(word, 32),
    "subleaf": lambda word: hexadecimal(word, 32),
    "size": size,
    "RFC3339|ntp": rfc3339_or_ntp,
}
