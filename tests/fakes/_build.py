"""Fake of the frozen module _build, as an ordinary build has it."""

INFO = (("Commit", "unknown"),)
