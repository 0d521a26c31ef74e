# print() goes to the stream that was set, and to the console while that stream writes or when it fails.
import _repl
import sys


class Stream:
    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data
        return len(data)


class Talkative(Stream):
    def write(self, data):
        print("inside")
        return super().write(data)


class Broken:
    def write(self, data):
        raise OSError(5)


for stream in (Stream(), Talkative()):
    previous = _repl.redirect(stream)
    print("one\ntwo")
    sys.stdout.write("three")
    _repl.redirect(previous)
    print(previous, stream.data)
_repl.redirect(Broken())
try:
    print("lost")
except OSError as e:
    print("failed", e.errno)
print("console again", _repl.redirect(None))
