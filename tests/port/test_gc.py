"""port/gc_*.c, the collected heap: built for the host with a machine of pages (gc/machine.c), used at random and compared
with a model of what must be in it (gc/model.c)."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SOURCES = [*sorted({*(ROOT / "port").glob("gc_*.c")} - {ROOT / "port/gc_sites.c"}), *sorted((HERE / "gc").glob("*.c"))]
STEPS = 30000
LIMIT = 120  # s


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    program = tmp_path_factory.mktemp("gc") / "model"
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-g", "-Wall", "-Wno-unused-parameter", "-I", HERE / "gc", "-I", ROOT,
                    "-I", ROOT / "port", "-o", program, *SOURCES], check=True)
    return program


@pytest.mark.parametrize("mode", ["windows", "fixed"])
@pytest.mark.parametrize("seed", range(1, 4))
def test_against_model(model, mode, seed):
    done = subprocess.run([model, mode, str(seed), str(STEPS)], capture_output=True, text=True, timeout=LIMIT)
    assert (done.stdout.strip(), done.returncode) == ("ok", 0), done.stderr
