"""Drive a headless Chromium over its debugging pipe: open a page, evaluate, click, take a picture; every wait has a limit.

    with Browser() as browser:
        browser.open("http://127.0.0.1:8080/")
        browser.wait("document.title === 'x'")
        assert not browser.complaints

Source: chromedevtools.github.io/devtools-protocol (Target, Page, Runtime, Log); messages end in NUL on file descriptors 3 and 4.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

# Gives the pipes the numbers that the browser expects, whatever ours are, and becomes the browser.
START = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3]]
os.dup2(ends[0], 3)
os.dup2(ends[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


class BrowserError(Exception):
    """The browser or the page did not do what was expected."""


class Browser:
    """A browser with one page. complaints: what it said on its console that is no plain message, and exceptions."""

    def __init__(self, dark=False, width=1180, height=1500):
        self.complaints = []
        self._dark, self._size = dark, (width, height)
        self._number = 0
        self._buffer = b""

    def __enter__(self):
        name = next(filter(None, map(shutil.which, NAMES)), None)
        if not name:
            raise BrowserError(f"none of {', '.join(NAMES)} is installed")
        self._profile = tempfile.mkdtemp(prefix="keelback-browser-")
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        line = [name, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", f"--user-data-dir={self._profile}",
                f"--window-size={self._size[0]},{self._size[1]}", "--remote-debugging-pipe", "about:blank"]
        self._process = subprocess.Popen([sys.executable, "-c", START, str(theirs_in), str(theirs_out), *line], pass_fds=(theirs_in, theirs_out),
                                         stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        target = next(t for t in self._call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if self._dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        return self

    def __exit__(self, *exc):
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, url):
        """Go to a page and wait until it is loaded. Raises BrowserError."""
        failed = self.call("Page.navigate", url=url).get("errorText")
        if failed:
            raise BrowserError(f"{url}: {failed}")
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression):
        """Return the value of a JavaScript expression, awaited if it is a promise. Raises BrowserError."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, expression, limit=30):
        """Wait until an expression is true. limit: s."""
        deadline = time.monotonic() + limit
        while not self.evaluate(expression):
            if time.monotonic() > deadline:
                raise BrowserError(f"not within {limit} s: {expression}; {self.complaints}")
            time.sleep(0.1)

    def picture(self, path):
        """Write what is to be seen as PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def call(self, method, **parameters):
        """Call a method of the protocol for the page and return its result."""
        return self._call(method, self._session, **parameters)

    def _call(self, method, session=None, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def _note(self, event):
        parameters = event.get("params", {})
        if event["method"] == "Runtime.exceptionThrown" or event["method"] == "Log.entryAdded":
            self.complaints.append(parameters)
        elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning", "assert"):
            self.complaints.append(parameters)

    def _read(self, limit=60):
        """Return the next message."""
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], limit)[0]:
                raise BrowserError(f"the browser is silent for {limit} s")
            data = os.read(self._in, 1 << 16)
            if not data:
                raise BrowserError("the browser has ended")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)
