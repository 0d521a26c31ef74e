"""The SSH server's key: in an SEV-SNP guest the one that the secure processor derives for it, elsewhere a random one.

One as long as the interpreter lives; a derived one is the same after every boot of the same guest on the same chip.
"""

# SPDX-License-Identifier: BSD-3-Clause

from net.ssh.hostkey import HostKey

_key = None


def get():
    """-> the net.ssh.hostkey.HostKey. Where the secure processor gives none, that is said on the console and it is random."""
    global _key
    if not _key:
        _key = _derived() or HostKey()
    return _key


def _derived():
    """-> a HostKey, or None."""
    from shell import snp

    if not snp.available():
        return None
    import crypto
    from sev.error import SevError

    try:
        private = snp.guest().ssh_host_key()
    except SevError as e:
        print("the SSH host key is a random one: %s" % e)
        return None
    try:
        return HostKey(private)
    finally:
        crypto.wipe(private)


def forget():
    """Make it anew when it is next asked for. Only for tests."""
    global _key
    _key = None
