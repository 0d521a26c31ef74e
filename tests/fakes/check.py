"""A test runner for the unix port: every function test_* of a file, a line for each, then the sum.

    from check import raises, run
    def test_x(): assert f(1) == 2
    run(globals())
"""

import sys


def raises(kind, function, *args):
    """-> the exception of this kind that function(*args) raises; anything else fails the test."""
    try:
        function(*args)
    except kind as e:
        return e
    raise AssertionError("%s not raised for %r" % (kind.__name__, args))


def same(got, expected):
    """Fail with both values where they differ."""
    if got != expected:
        raise AssertionError("got %r\n  expected %r" % (got, expected))


def run(scope):
    """Run the tests of a module's globals() if it is the main one; exit status 1 if any failed."""
    if scope["__name__"] != "__main__":
        return  # a runner calls the functions one by one
    failed = 0
    names = sorted([name for name in scope if name.startswith("test_")])
    for name in names:
        try:
            scope[name]()
            print("ok   " + name)
        except BaseException as e:
            failed += 1
            print("FAIL " + name)
            sys.print_exception(e)
    print("%d passed, %d failed" % (len(names) - failed, failed))
    sys.exit(1 if failed or not names else 0)
