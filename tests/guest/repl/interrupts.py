# _repl.interruptible(), interrupt() and shielded(): where a Ctrl-C that Python sends is raised.
import _repl


def interrupted(function):
    try:
        return _repl.interruptible(function)
    except KeyboardInterrupt:
        return "interrupted"


def forever():
    _repl.interrupt()
    while True:
        pass


def shielded():
    log.append("in")
    _repl.interrupt()
    for _ in range(1000):
        pass
    log.append("out")
    return "lost"


def calls_shielded():
    try:
        return _repl.shielded(shielded)
    finally:
        log.append("end")


def fails():
    _repl.interrupt()
    raise ValueError("hidden by the interruption")


log = []
_repl.interrupt()  # nothing is interruptible
print("not interrupted")
print(interrupted(forever))
print(interrupted(calls_shielded), log)
print(interrupted(_repl.interrupt))  # at the very end
print(interrupted(lambda: (interrupted(forever), 1)))
print(interrupted(lambda: interrupted(lambda: 1) + interrupted(lambda: 2)))
try:
    _repl.shielded(fails)
except ValueError as e:
    print("ValueError:", e)
print(interrupted(lambda: _repl.shielded(max, 1, 3)))
_repl.interrupt()
print("done")
