"""What the lint tests look at: the files of the repository, and the functions in them."""

import ast
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def repository(*suffixes):
    """Return the paths of all files, tracked or about to be, that end so; all without suffixes."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "--deduplicate"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    paths = [ROOT / line for line in out.splitlines()]
    return [p for p in paths if p.is_file() and (not suffixes or p.name.endswith(suffixes))]


def name(path):
    """Return a path as it is shown: from the repository's root."""
    return str(path.relative_to(ROOT))


def functions(path):
    """Return [(name, lines)] of a Python or C file's functions, without those that lie in another."""
    text = path.read_text()
    return python_functions(text) if path.suffix == ".py" else c_functions(text)


def python_functions(text):
    """Return [(name, lines)]; a decorator counts as part of the function, a class is no function."""
    found = []

    def visit(node):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                first = min([child.lineno, *(d.lineno for d in child.decorator_list)])
                found.append((child.name, child.end_lineno - first + 1))
            else:
                visit(child)

    visit(ast.parse(text))
    return found


def c_functions(text):
    """Return [(name, lines)]: from a line in the first column that opens a parameter list and a body, to its brace."""
    found, start = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if start is None:
            m = re.match(r"(?!typedef|struct|enum|union|#|//|\s|\})[^=;]*?\b(\w+)\(", line)
            if m:
                start = number, m[1]
        if start and re.match(r".*;\s*(//.*)?$", line) and number == start[0]:
            start = None  # a prototype
        elif start and (line.startswith("}") or (number == start[0] and line.endswith("}"))):
            found.append((start[1], number - start[0] + 1))
            start = None
        elif start and not line.startswith((" ", "\t", "{", "}", "#")) and line and number > start[0] + 5:
            start = None  # a macro call without a body
    return found
