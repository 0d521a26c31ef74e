"""Files hold one idea and functions can be read at a glance."""

import statistics

import pytest

from files import functions, name, repository

FILE_LINES = 400
FUNCTION_LINES = 60
MEDIAN_LINES = 12
CODE = (".py", ".c", ".h", ".S", ".lds", ".mk", ".sh", "Makefile")


def test_files():
    lines = {name(p): len(p.read_text().splitlines()) for p in repository(*CODE)}
    assert not {n: count for n, count in lines.items() if count > FILE_LINES}


def test_functions():
    lines = {f"{name(p)}:{f}": count for p in repository(".py", ".c") for f, count in functions(p)}
    assert not {n: count for n, count in lines.items() if count > FUNCTION_LINES}


@pytest.mark.parametrize("suffix", [".py", ".c"])
def test_median_function(suffix):
    lines = [count for p in repository(suffix) for _, count in functions(p)]
    assert statistics.median(lines) < MEDIAN_LINES
