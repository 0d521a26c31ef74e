# Folders: make, list, change, rename, remove, and the errno of everything that cannot be done.
import errno, os


def attempt(function, *args):
    try:
        print(function(*args))
    except OSError as e:
        print(errno.errorcode.get(e.errno, e.errno))


os.mkdir("/d")
os.mkdir("/d/e")
open("/d/f", "w").close()
print(sorted(os.listdir("/d")), list(os.ilistdir("/d")))
for function, args in ((os.mkdir, "/d"), (os.mkdir, "/x/y"), (os.mkdir, "/d/f/g"), (os.mkdir, "/"), (os.mkdir, "/d/f"),
                       (os.rmdir, "/d"), (os.rmdir, "/d/f"), (os.rmdir, "/x"), (os.rmdir, "/"), (os.remove, "/d/e"),
                       (os.remove, "/x"), (os.remove, "/d"), (os.listdir, "/x"), (os.listdir, "/d/f"), (os.stat, "/x"),
                       (os.stat, "/d/f/g"), (os.chdir, "/d/f"), (os.chdir, "/x")):
    attempt(function, args)
os.chdir("/d")
print(os.getcwd(), os.listdir(), "d" in os.listdir(".."), os.stat("f")[0] == 0x8000, os.stat("e")[0] == 0x4000)
os.chdir("e")
print(os.getcwd(), os.stat("../f")[6], os.listdir("../../d/./e/.."))
open("here", "w").close()
attempt(os.rmdir, "/d/e")
os.remove("here")
os.chdir("..")
os.rmdir("e")
os.chdir("/")
os.remove("d/f")
os.rmdir("d")
attempt(os.rename, "/x", "/y")
print("d" in os.listdir())
