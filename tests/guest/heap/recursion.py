# Deep recursion ends in RuntimeError, in Python, native code, the compiler and C, and all goes on.
import json, micropython, re


def deep(n):
    return deep(n + 1) + 1


@micropython.native
def native(n):
    return native(n + 1) + 1


def attempt(name, function, *args):
    try:
        function(*args)
        print(name, "ended")
    except RuntimeError as e:
        print(name, e)


nested = []
for _ in range(100000):
    nested = [nested]
for _ in range(2):
    attempt("python", deep, 0)
    attempt("native", native, 0)
    attempt("compile", compile, "(" * 5000 + ")" * 5000, "x", "eval")
    attempt("json", json.loads, "[" * 100000 + "]" * 100000)
    attempt("repr", repr, nested)
    attempt("re", re.match, "(a|b)*c", "ab" * 100000)
while nested:
    nested = nested[0]
print("still here")
