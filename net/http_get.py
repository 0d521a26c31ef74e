"""Fetch a document by HTTP or HTTPS: one GET, one answer, within limits of time and size.

    data = await get("https://host/path?query", resolve)

resolve(host) is a coroutine that gives addresses as text. Source: RFC 9112, RFC 9110. Leaves out: redirects, other
methods, connections that stay open, content codings. Over TLS the server is verified against the certificates that are
given as cadata, and only if some are: the system has none. What proves itself, as certificates do, needs none.
"""

# SPDX-License-Identifier: BSD-3-Clause

import asyncio

from micropython import const

from net.http_wire import CHUNKED, HTTPError, body_length, chunk_length, parse_field

LENGTH_MAX = const(65536)  # bytes of a document, unless said otherwise
TIME_MAX_MS = const(20000)
_HEAD_MAX = const(16384)  # bytes
_HEADERS_MAX = const(100)
_PIECE = const(4096)
_OK = const(200)


class FetchError(OSError):
    """One line that says why there is no document."""


async def get(url, resolve, length_max=LENGTH_MAX, time_max_ms=TIME_MAX_MS, cadata=None):
    """-> the bytes of a document. Raises FetchError; ValueError: the address is none."""
    address = parse_url(url)
    try:
        return await asyncio.wait_for_ms(_get(*address, resolve, length_max, cadata), time_max_ms)
    except asyncio.TimeoutError:
        raise FetchError("no answer within %d s" % (time_max_ms // 1000))


def parse_url(url):
    """-> (TLS?, host, port, target) of an address. ValueError: it is none."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    name, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):  # an IPv6 address has colons of its own
        name, port = authority, "443" if scheme == "https" else "80"
    visible = not [c for c in url if not "!" <= c <= "~" or c in '"<>\\^`{|}#@']
    if scheme not in ("http", "https") or not visible or not name.strip("[]") or not port.isdigit() or not 0 < int(port[:6]) < 65536:
        raise ValueError("no address of HTTP: %s" % url[:80])
    return scheme == "https", name, int(port), "/" + path


async def _get(tls, name, port, target, resolve, length_max, cadata):
    host = name.strip("[]")
    failure = FetchError("no address of %s" % host)
    for address in await resolve(host):
        try:
            stream = await _connect(address, port, host if tls else None, cadata)
        except OSError as e:
            failure = FetchError("no connection to %s (%s)" % (address, e))
            continue
        try:
            at = name if port == (443 if tls else 80) else "%s:%d" % (name, port)
            stream.write(("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: keelback\r\nAccept: */*\r\nConnection: close\r\n\r\n" % (target, at)).encode())
            await stream.drain()
            return parse_answer(await _received(stream, length_max + _HEAD_MAX), length_max)
        except OSError as e:
            raise e if isinstance(e, FetchError) else FetchError("the connection to %s fails (%s)" % (address, e))
        finally:
            stream.close()
            await stream.wait_closed()
    raise failure


async def _connect(address, port, name, cadata):
    """-> a stream. name: the server's, for TLS, or None."""
    context = None
    if name:
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_mode = ssl.CERT_REQUIRED if cadata else ssl.CERT_NONE
        if cadata:
            context.load_verify_locations(cadata=cadata)
    reader, _ = await asyncio.open_connection(address, port, ssl=context, server_hostname=name)
    return reader


async def _received(stream, length_max):
    """-> what comes until the answer is complete, or the server ends the connection in whatever way."""
    data = b""
    while len(data) <= length_max:
        if _complete(data):
            return data
        try:
            piece = await stream.read(_PIECE)
        except OSError:
            if not data:
                raise
            piece = b""
        if not piece:
            return data
        data += piece
    raise FetchError("an answer of more than %d bytes" % length_max)


def parse_answer(data, length_max=LENGTH_MAX):
    """-> the body of an answer. FetchError: it has another status than 200, is incomplete, too long or not HTTP."""
    try:
        while True:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end or len(head) > _HEAD_MAX:
                raise FetchError("an answer that is not HTTP, or has no end")
            status, reason, headers, minor = _parse_head(head)
            if not 100 <= status < 200:  # those come before the answer
                break
        if status != _OK:
            raise FetchError("%d %s" % (status, reason))
        body = _body(data, headers, minor)
    except HTTPError as e:
        raise FetchError("an answer with %s" % e.text)
    if len(body) > length_max:
        raise FetchError("an answer of more than %d bytes" % length_max)
    return body


def _complete(data):
    """-> True if an answer that says where it ends is there; servers may leave the connection open."""
    head, end, body = data.partition(b"\r\n\r\n")
    if not end:
        return False
    try:
        _, _, headers, minor = _parse_head(head)
        length = body_length(headers, minor)
    except (FetchError, HTTPError):
        return True  # there is nothing to wait for
    return body[-5:] == b"0\r\n\r\n" if length == CHUNKED else "content-length" in headers and len(body) >= length


def _parse_head(head):
    """-> (status, reason, headers, minor version)"""
    lines = head.split(b"\r\n")
    version, _, rest = lines[0].partition(b" ")
    code, _, reason = rest.partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or len(code) != 3 or not code.isdigit() or len(lines) > _HEADERS_MAX:
        raise FetchError("an answer that is not HTTP")
    headers = {}
    for line in lines[1:]:
        parse_field(line, headers)
    return int(code), "".join([chr(c) if 0x20 <= c < 0x7F else "?" for c in reason[:40]]), headers, int(version[7:])


def _body(data, headers, minor):
    length = body_length(headers, minor)
    if length == CHUNKED:
        return _chunks(data)
    if "content-length" not in headers:
        return data  # it ends with the connection
    if len(data) < length:
        raise FetchError("an answer of %d bytes, of which %d came" % (length, len(data)))
    return data[:length]


def _chunks(data):
    """-> the bytes of all chunks; what follows the last one is of no interest."""
    parts = []
    while True:
        line, end, data = data.partition(b"\r\n")
        length = chunk_length(line)
        if not length:
            return b"".join(parts)
        if not end or data[length : length + 2] != b"\r\n":
            raise FetchError("an answer with a broken chunk")
        parts.append(data[:length])
        data = data[length + 2 :]
