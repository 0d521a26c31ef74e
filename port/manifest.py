# What Python is frozen into the executable. Run by MicroPython's tools/makemanifest.py.

import os

# opt=2 leaves out asserts and keeps line numbers, which stackall and tracebacks show; asyncio's own manifest drops them.
ASYNCIO = ("__init__.py", "core.py", "event.py", "funcs.py", "lock.py", "stream.py")
package("asyncio", ASYNCIO, base_path="$(MPY_DIR)/extmod", opt=2)
module("uasyncio.py", base_path="$(MPY_DIR)/extmod/asyncio", opt=2)
package("shell", base_path="$(PORT_DIR)", opt=2)
package("drivers", base_path="$(PORT_DIR)", opt=2)
package("net", base_path="$(PORT_DIR)", opt=2)
package("sev", base_path="$(PORT_DIR)", opt=2)
module("ssl.py", base_path="$(PORT_DIR)/port/modules", opt=2)
module("_build.py", base_path="$(GENERATED)", opt=2)

# A user's own application: its boot.py and main.py run before the shell.
app = os.environ.get("APP")
if app:
    freeze(os.path.abspath(app), opt=2)
