"""The ssl module of CPython, as far as MicroPython has it, over the built-in tls: it adds loading from files.

Left out: certificates of the system (there are none) and all of OpenSSL's own options.
"""

import tls
from tls import *


def _contents(source):
    """Return the bytes of a file named by a str; anything else is taken for the contents themselves."""
    if isinstance(source, str):
        with open(source, "rb") as f:
            return f.read()
    return source


class SSLContext:
    """As CPython's. verify_mode starts as CERT_REQUIRED for clients and CERT_NONE for servers."""

    def __init__(self, protocol):
        self._context = tls.SSLContext(protocol)

    @property
    def verify_mode(self):
        return self._context.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._context.verify_mode = mode

    @property
    def verify_callback(self):
        return self._context.verify_callback

    @verify_callback.setter
    def verify_callback(self, callback):
        self._context.verify_callback = callback

    def get_ciphers(self):
        return self._context.get_ciphers()

    def set_ciphers(self, ciphers):
        """Take a list of names, as get_ciphers() gives them."""
        self._context.set_ciphers(ciphers)

    def load_cert_chain(self, certfile, keyfile):
        """Take names of PEM or DER files, or their contents as bytes. Raises OSError, or ValueError for bad contents."""
        self._context.load_cert_chain(_contents(certfile), _contents(keyfile))

    def load_verify_locations(self, cafile=None, cadata=None):
        """Trust the certificates of a file, or given as bytes."""
        self._context.load_verify_locations(_contents(cafile) if cafile else cadata)

    def wrap_socket(self, sock, server_side=False, do_handshake_on_connect=True, server_hostname=None):
        return self._context.wrap_socket(
            sock,
            server_side=server_side,
            do_handshake_on_connect=do_handshake_on_connect,
            server_hostname=server_hostname,
        )


def wrap_socket(
    sock,
    server_side=False,
    key=None,
    cert=None,
    cert_reqs=CERT_NONE,
    cadata=None,
    server_hostname=None,
    do_handshake=True,
):
    """Wrap a socket in a context of its own. Without cert_reqs the peer is not verified, as everywhere in MicroPython."""
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    if cert or key:
        context.load_cert_chain(cert, key)
    if cadata:
        context.load_verify_locations(cadata=cadata)
    context.verify_mode = cert_reqs
    return context.wrap_socket(
        sock, server_side=server_side, do_handshake_on_connect=do_handshake, server_hostname=server_hostname
    )
