# Modules and packages are imported from the RAM file system; mpy files, errors and reloading work as elsewhere.
import os, sys


def put(path, text):
    with open(path, "w") as f:
        f.write(text)


for folder in ("/lib", "/pkg", "/pkg/sub"):
    if folder[1:] not in os.listdir("/"):
        try:
            os.mkdir(folder)
        except OSError:
            pass
put("/plain.py", "value = 42\ndef where(): return __name__, __file__\n")
put("/lib/inlib.py", "from plain import value\n")
put("/pkg/__init__.py", "from .sub import leaf\n")
put("/pkg/sub/__init__.py", "")
put("/pkg/sub/leaf.py", "name = __name__\n")
put("/broken.py", "def f(:\n")
put("/raises.py", "x = 1\n1 // 0\n")
import plain, inlib, pkg

print(plain.where(), inlib.value, pkg.leaf.name, sys.path)
for name in ("broken", "raises", "missing", "pkg.missing"):
    try:
        __import__(name)
        print("imported")
    except Exception as e:
        print(type(e).__name__, e, name in sys.modules)
put("/plain.py", "value = 43\n")
print(__import__("plain").value)
del sys.modules["plain"]
print(__import__("plain").value)
exec(open("/plain.py").read())
print(value)
for path in ("/plain.py", "/lib/inlib.py", "/pkg/sub/leaf.py", "/pkg/sub/__init__.py", "/pkg/__init__.py", "/broken.py", "/raises.py"):
    os.remove(path)
for folder in ("/pkg/sub", "/pkg", "/lib"):
    os.rmdir(folder)
