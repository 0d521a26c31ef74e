"""What the system calls itself."""

# SPDX-License-Identifier: BSD-3-Clause

import sys


def version():
    """-> MicroPython's version, "1.25.0"."""
    return ".".join([str(n) for n in sys.implementation[1][:3]])


def banner():
    """-> "keelback • micropython/x86_64 (v1.25.0) • UEFI x64"."""
    return "keelback • micropython/x86_64 (v%s) • UEFI x64" % version()
