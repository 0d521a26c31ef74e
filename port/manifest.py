# What Python is frozen into the executable. Run by MicroPython's tools/makemanifest.py.

import os

include("$(MPY_DIR)/extmod/asyncio")

# opt=2 keeps line numbers, which stack and tracebacks show.
package("shell", base_path="$(PORT_DIR)", opt=2)
package("drivers", base_path="$(PORT_DIR)", opt=2)
module("_build.py", base_path="$(GENERATED)", opt=2)

# A user's own application: its boot.py and main.py run before the shell.
app = os.environ.get("APP")
if app:
    freeze(os.path.abspath(app), opt=2)
