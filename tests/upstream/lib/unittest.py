"""The part of Python's unittest that MicroPython's tests use, and its summary as their runner reads it.

Source: Python's documentation of unittest; tests/run-tests.py of MicroPython 1.25.0 (the summary's last four lines).
"""

import sys


class SkipTest(Exception):
    """Raised by a test that does not apply."""


def skip(reason):
    """Return a decorator for a test that is not run."""

    def decorate(test):
        def skipped(self):
            raise SkipTest(reason)

        return skipped

    return decorate


def skipIf(condition, reason):
    return skip(reason) if condition else lambda test: test


def skipUnless(condition, reason):
    return skipIf(not condition, reason)


class _Raises:
    """The context of assertRaises: swallows the exception it wants, and keeps it in .exception."""

    def __init__(self, wanted):
        self.wanted = wanted
        self.exception = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        assert kind is not None, "%r was not raised" % self.wanted
        if not issubclass(kind, self.wanted):
            return False
        self.exception = value
        return True


class TestCase:
    """A group of tests: the methods whose names begin with test."""

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        pass

    def tearDown(self):
        pass

    def skipTest(self, reason):
        raise SkipTest(reason)

    def fail(self, message="failed"):
        raise AssertionError(message)

    def assertTrue(self, x, message=None):
        assert x, message or "%r is not true" % (x,)

    def assertFalse(self, x, message=None):
        assert not x, message or "%r is not false" % (x,)

    def assertEqual(self, x, y, message=None):
        assert x == y, message or "%r is not equal to %r" % (x, y)

    def assertNotEqual(self, x, y, message=None):
        assert x != y, message or "%r is equal to %r" % (x, y)

    def assertIs(self, x, y, message=None):
        assert x is y, message or "%r is not %r" % (x, y)

    def assertIsNone(self, x, message=None):
        assert x is None, message or "%r is not None" % (x,)

    def assertIn(self, x, y, message=None):
        assert x in y, message or "%r is not in %r" % (x, y)

    def assertIsInstance(self, x, y, message=None):
        assert isinstance(x, y), message or "%r is not an instance of %r" % (x, y)

    def assertRaises(self, wanted, function=None, *args, **kwargs):
        context = _Raises(wanted)
        if function is None:
            return context
        with context:
            function(*args, **kwargs)


def _run(case, name):
    """Run one test on a fresh object -> "ok", "skipped", "failures" or "errors"."""
    test = case()
    try:
        test.setUp()
        try:
            getattr(test, name)()
        finally:
            test.tearDown()
        return "ok"
    except SkipTest:
        return "skipped"
    except Exception as e:
        sys.print_exception(e, sys.stdout)
        return "failures" if isinstance(e, AssertionError) else "errors"


def _run_case(case, count):
    """Run the tests of one class, print a line for each, and add to the counts."""
    case.setUpClass()
    for name in dir(case):
        if name.startswith("test"):
            result = _run(case, name)
            print(case.__name__, name, result)
            count[result] += 1
    case.tearDownClass()


def main(module="__main__"):
    """Run the tests of all cases of a module and print the summary."""
    count = {"ok": 0, "skipped": 0, "failures": 0, "errors": 0}
    for case in list(__import__(module).__dict__.values()):
        if isinstance(case, type) and issubclass(case, TestCase) and case is not TestCase:
            _run_case(case, count)
    print("-" * 70)
    print("Ran %d tests\n" % sum(count.values()))
    if count["failures"] or count["errors"]:
        print("FAILED (failures=%(failures)d, errors=%(errors)d)" % count)
    else:
        print("OK" + (" (skipped=%(skipped)d)" % count if count["skipped"] else ""))
