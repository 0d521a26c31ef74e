# Native and viper code is made at run time, runs, raises, catches, and is called back.
import micropython


@micropython.native
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@micropython.viper
def total(data: ptr8, count: int) -> int:
    s = 0
    for i in range(count):
        s += data[i]
    return s


@micropython.viper
def fill(p: ptr32, count: int, value: uint):
    for i in range(count):
        p[i] = value


@micropython.native
def catches(function):
    try:
        return function()
    except ZeroDivisionError as e:
        return "caught " + str(e)
    finally:
        print("finally")


@micropython.native
def generator(n):
    for i in range(n):
        yield i * i


@micropython.native
def closure(a):
    @micropython.native
    def inner(b):
        return a + b
    return inner


print(fibonacci(20), total(bytes(range(256)), 256))
memory = bytearray(64)
fill(memory, 16, 0xA1B2C3D4)
print(bytes(memory[:8]))
print(catches(lambda: 1 // 0), catches(lambda: 5))
print(list(generator(6)), closure(3)(4), [closure(i)(i) for i in range(5)])


@micropython.native
def negative(x):
    return -x


print(sorted(range(10), key=negative), list(map(negative, [1, 2.5, 1 << 70])))
