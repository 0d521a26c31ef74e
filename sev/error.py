"""The one error of this folder: what the hypervisor, the secure processor or the firmware gave cannot be used."""

# SPDX-License-Identifier: BSD-3-Clause


class SevError(OSError):
    """One line that says what is wrong."""
