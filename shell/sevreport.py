"""A report that a user asked for: what goes into its report data, and the forms in which it is shown."""

# SPDX-License-Identifier: BSD-3-Clause

import os

from sev import certs, report_text
from sev import report as fields
from shell import sevargs
from shell.registry import CommandError
from shell.sevinfo import WIDTH
from shell.table import table

_LEN = 64  # bytes of report data
_HASH_LEN = 32  # of them the SHA-256 of the SSH host key
_CHUNK = 16384


class Asked:
    """A report from the secure processor. data: its report data; bytes: itself; table: the host's certificate table, or None."""

    def __init__(self, guest, form, ssh, ext, vmpl, key, data, path):
        self.fingerprint = None
        self._shows_table = ext
        if data is not None and path is not None:
            raise CommandError("report data come from `data` or from `file`")
        self.data = self._ssh(data, path) if ssh else _plain(data, path)
        if ext or form == "verify":
            self.bytes, self.table = guest.extended_report(self.data, vmpl, key)
        else:
            self.bytes, self.table = guest.report(self.data, vmpl, key), None

    def _ssh(self, data, path):
        from shell import hostkey

        if path is not None:
            raise CommandError("`ssh` leaves room for 32 bytes of `data`, not for a file")
        key = hostkey.get()
        self.fingerprint = key.fingerprint
        return key.digest + (bytes(_LEN - _HASH_LEN) if data is None else sevargs.data(data, _LEN - _HASH_LEN))

    def text(self):
        """-> what `sev-report` shows, and of options given the rows that belong to them."""
        rows = report_text.rows(fields.parse(self.bytes)) + self._key_rows()
        if self._shows_table:
            rows += [("Certificate", "%s, %d bytes" % (certs.KINDS.get(guid, guid), len(content))) for guid, content in certs.table(self.table)]
        return table(rows, WIDTH)

    def full(self):
        """-> every field."""
        report = fields.parse(self.bytes)
        return table(report_text.rows(report) + report_text.detail_rows(report) + self._key_rows(), WIDTH)

    def raw(self):
        """-> the report in hexadecimal; on a second line the certificate table, if asked for."""
        return self.bytes.hex() + "\n" + (self.table[: certs.table_len(self.table)].hex() + "\n" if self._shows_table else "")

    def json(self):
        """-> every field, the report itself, and the certificates if asked for, as one object."""
        import json

        shown = report_text.as_dict(fields.parse(self.bytes))
        shown["raw"] = self.bytes.hex()
        if self.fingerprint:
            shown["ssh_host_key"] = self.fingerprint
        if self._shows_table:
            shown["certificates"] = {certs.KINDS.get(guid, guid): content.hex() for guid, content in certs.table(self.table)}
        return json.dumps(shown) + "\n"

    def _key_rows(self):
        return [("SSH host key", self.fingerprint)] if self.fingerprint else []


def _plain(data, path):
    """-> 64 bytes."""
    if data is not None:
        return sevargs.data(data, _LEN)
    return os.urandom(_LEN) if path is None else _sha512(path)


def _sha512(path):
    import crypto

    digest = crypto.Sha2(512)
    with open(path.replace("\\", "/"), "rb") as f:
        piece = f.read(_CHUNK)
        while piece:
            digest.update(piece)
            piece = f.read(_CHUNK)
    return digest.digest()
