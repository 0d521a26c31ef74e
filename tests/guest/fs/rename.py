# rename() moves files and folders, replaces what may be replaced, and refuses to tie a folder into itself.
import errno, os


def attempt(*args):
    try:
        print(os.rename(*args))
    except OSError as e:
        print(errno.errorcode.get(e.errno, e.errno))


def put(path, text):
    with open(path, "w") as f:
        f.write(text)


def tree(path):
    return sorted([e[0] if e[1] == 0x8000 else (e[0], tree(path + "/" + e[0])) for e in os.ilistdir(path)], key=str)


os.mkdir("/r")
os.chdir("/r")
for folder in ("a", "a/b", "empty", "full"):
    os.mkdir(folder)
put("full/x", "x")
put("one", "1")
put("two", "2")
attempt("one", "two")
print(open("two").read(), tree("."))
attempt("two", "a/b/three")
attempt("a/b", "a/c")
print(tree("."))
attempt("a", "a")
attempt("a", "a/c/a")
attempt("a", "empty")
print(tree("."))
attempt("empty", "full")
attempt("empty", "full/x")
attempt("full/x", "empty")
attempt("none", "x")
attempt("full", "no/folder")
attempt("/", "/r/root")
with open("full/x") as f:  # an open file follows its node, whatever its name
    os.rename("full/x", "full/y")
    print(f.read(), tree("full"))
    f.seek(0)
    os.remove("full/y")
    print(f.read(), tree("full"))
os.remove("empty/c/three")
for folder in ("empty/c", "empty", "full"):
    os.rmdir(folder)
os.chdir("/")
os.rmdir("r")
