# Run a test file on the unix port: the whole file, or one function of it.
#
#     micropython tests/host/run.py FILE [FUNCTION]
import sys

sys.path.pop(0)  # this folder, whose folders are named as what they test


def main(path, function=None):
    with open(path) as f:
        code = compile(f.read(), path, "exec")
    names = {"__name__": "test" if function else "__main__", "__file__": path}
    exec(code, names)
    if function:
        names[function]()


main(*sys.argv[1:])
