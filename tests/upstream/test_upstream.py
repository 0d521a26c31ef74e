"""MicroPython's own tests in a booted machine, a part of what make test-upstream runs: one test for each of theirs.

All that is sent as source, and what of the micropython folder is compiled first. Tests of one chunk share a machine and
a start of MicroPython's runner: the first of them runs all of those that are selected.
"""

import warnings

import pytest

import suite
from runner import BoardRunner

CHUNKS = [("bytecode", c) for c in suite.chunks("bytecode", suite.tests())] + \
         [("native", c) for c in suite.chunks("native", suite.tests(["micropython"]))]


@pytest.fixture(scope="session")
def board(worker_id):
    runner = BoardRunner(f"pytest-{worker_id}")
    yield runner
    runner.close()


@pytest.fixture(scope="session")
def results(request, board):
    """A function that gives {test: (status, detail)} of a chunk."""
    known = {}

    def get(chunk):
        if chunk not in known:
            names = [item.callspec.params["name"] for item in request.session.items
                     if item.path.samefile(__file__) and item.callspec.params["chunk"] == chunk]
            kind = CHUNKS[chunk][0]
            known[chunk] = {name: (status, detail) for name, status, detail in board.run(kind, names)}
        return known[chunk]

    return get


@pytest.mark.parametrize("chunk, name", [
    pytest.param(i, name, id=f"{kind}-{name}", marks=pytest.mark.xdist_group(f"upstream-{i}"))
    for i, (kind, names) in enumerate(CHUNKS) for name in names])
def test_upstream(results, chunk, name):
    status, detail = results(chunk)[name]
    if status == "skip":
        pytest.skip("the test says that it does not apply")
    if status == "FAIL":
        pytest.fail(detail, pytrace=False)
    if detail:
        warnings.warn(f"{name} {detail}")
