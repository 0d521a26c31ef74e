# _frames names the Python frames that run, innermost first, and those of a suspended coroutine.
import _frames


def inner():
    return _frames.current()


def outer():
    return inner()


class C:
    def method(self):
        return [outer() for _ in range(1)][0]


frames = C().method()
print([name for _, _, name in frames[:4]], frames[-1][2], len(frames) >= 5)
print(all(file == "<stdin>" for file, _, _ in frames[:4]), [line for _, line, _ in frames[:3]])


def deepest(n):
    return len(_frames.current()) if n == 0 else deepest(n - 1)


print(deepest(0) + 100 == deepest(100))


def fails(n):
    if n == 0:
        raise ValueError
    fails(n - 1)


before = len(_frames.current())
for _ in range(3):
    try:
        fails(50)
    except ValueError:
        pass
print(len(_frames.current()) == before)  # an exception leaves no frame behind


async def leaf():
    await Pause()


async def trunk():
    await leaf()


class Pause:
    def __iter__(self):
        return self

    __await__ = __iter__

    def __next__(self):
        return 1


task = trunk()
print(_frames.of(task)[:1])
task.send(None)
print([name for _, _, name in _frames.of(task)])
task.close()
print(_frames.of(task))


def counter():
    yield 1
    yield 2


g = counter()
next(g)
print(_frames.of(g))
for wrong in (1, None, print, "x"):
    try:
        _frames.of(wrong)
        print("accepted")
    except TypeError as e:
        print(e)
