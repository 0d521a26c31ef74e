"""What the machine's source service sends, made here: the same function as in services.py, which runs only in the machine."""

BLOCK = 4096
_PATTERN = bytes(range(251)) * 18


def expected(size):
    """The first size bytes."""
    whole = b"".join(_PATTERN[n:n + BLOCK] for n in range(251))  # then it begins again
    return (whole * (size // len(whole) + 1))[:size]
