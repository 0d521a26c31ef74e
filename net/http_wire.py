"""HTTP/1.1 on the wire: a request's head, how its body is framed, percent-encoding, a response's head.

Pure: bytes in, values out, or HTTPError with the status that the client is told. What could be read in two ways (and
so smuggle a request past a proxy) is refused: a bare CR or LF, a folded line, a space before a colon, two lengths, a
length beside a coding, two hosts, an encoded slash.
Source: RFC 9112 (2-7), RFC 9110 (5-9, 15), RFC 3986 (2.1). Leaves out: content codings, ranges, upgrades, cookies.
"""

# SPDX-License-Identifier: BSD-3-Clause

import time

REASONS = {
    100: "Continue",
    200: "OK",
    201: "Created",
    202: "Accepted",
    204: "No Content",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    304: "Not Modified",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    417: "Expectation Failed",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")  # others are answered with 501
CHUNKED = -1  # the length of a body that says chunk by chunk how long it is
LINE_MAX = 256  # bytes of a chunk's first line, and of a header's name

_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VISIBLE = bytes(range(0x21, 0x7F))
_DIGITS = b"0123456789"
_HEX = b"0123456789abcdefABCDEF"
_SINGLE = ("host", "content-length", "transfer-encoding", "content-type", "expect")  # may stand there once
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class HTTPError(Exception):
    """A request that is answered with a status and one line of text; headers: (name, value) pairs beside it."""

    def __init__(self, status, text="", headers=()):
        super().__init__(status, text)
        self.status = status
        self.text = text or REASONS.get(status, "error")
        self.headers = headers


# -- a request's head ------------------------------------------------------------------------------


def parse_head(head, headers_max=100):
    """-> (method, target, minor version, headers) of what precedes the empty line, without it.

    target: bytes. headers: {lower-case name: value}, values of one name joined by commas.
    Raises HTTPError 400, 431 (more than headers_max), 501 (method), 505.
    """
    lines = head.split(b"\r\n")
    bare = b"".join(lines)
    if b"\r" in bare or b"\n" in bare or b"\0" in bare:
        raise HTTPError(400, "a control character in the head")
    method, target, minor = _request_line(lines[0])
    if len(lines) - 1 > headers_max:
        raise HTTPError(431, "too many headers")
    headers = {}
    for line in lines[1:]:
        parse_field(line, headers)
    if minor and "host" not in headers:
        raise HTTPError(400, "no Host")
    return method, target, minor, headers


def _request_line(line):
    words = line.split(b" ")
    if len(words) != 3 or not words[0] or words[0].strip(_TOKEN):
        raise HTTPError(400, "not a request line")
    method, target, version = words
    if version[:5] != b"HTTP/" or len(version) != 8 or version[6:7] != b"." or version[5:6].strip(_DIGITS) or version[7:].strip(_DIGITS):
        raise HTTPError(400, "not a version of HTTP")
    if version[5:6] != b"1":
        raise HTTPError(505)
    if not target or target.strip(_VISIBLE) or b"#" in target:
        raise HTTPError(400, "not a request target")
    method = str(method, "ascii")
    if method not in METHODS:
        raise HTTPError(501, "no such method here")
    return method, target, min(int(version[7:]), 1)


def parse_field(line, headers):
    """Put the header of a line into headers. Raises HTTPError 400."""
    name, colon, value = line.partition(b":")
    if not colon or not name or len(name) > LINE_MAX or name.strip(_TOKEN):
        raise HTTPError(400, "not a header line")  # also a folded one, and a space before the colon
    name = str(name, "ascii").lower()
    try:
        value = str(value.strip(b" \t"), "utf-8")
    except UnicodeError:
        raise HTTPError(400, "a header that is not UTF-8")
    if name in headers:
        if name in _SINGLE:
            raise HTTPError(400, "%s twice" % name)
        value = headers[name] + ", " + value
    headers[name] = value


def body_length(headers, minor):
    """-> how many bytes follow the head: a number or CHUNKED. Raises HTTPError 400, 501."""
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if length is not None or not minor:
            raise HTTPError(400, "Transfer-Encoding where there must be none")
        if coding.lower() != "chunked":
            raise HTTPError(501, "no transfer coding but chunked")
        return CHUNKED
    if length is None:
        return 0
    if not length or length.encode().strip(_DIGITS) or len(length) > 15:
        raise HTTPError(400, "not a Content-Length")
    return int(length)


def chunk_length(line):
    """-> the length that a chunk's first line states. Raises HTTPError 400."""
    digits = line.partition(b";")[0].strip(b" \t")
    if not digits or len(digits) > 8 or digits.strip(_HEX):
        raise HTTPError(400, "not a chunk's length")
    return int(digits, 16)


def keeps_alive(headers, minor):
    """-> True if the connection stays open after this request."""
    options = [option.strip() for option in headers.get("connection", "").lower().split(",")]
    return "close" not in options and (bool(minor) or "keep-alive" in options)


# -- targets ---------------------------------------------------------------------------------------


def parse_target(target):
    """-> (path, query string as bytes). The path is text, decoded, begins with "/" and has no segment "." or "..".

    Raises HTTPError 400.
    """
    if target == b"*":
        return "*", b""
    if target[:7].lower() == b"http://":  # as sent to a proxy, RFC 9112, 3.2.2
        host, slash, rest = target[7:].partition(b"/")
        if not host or b"?" in host:
            raise HTTPError(400, "not a request target")
        target = b"/" + rest
    path, _, query = target.partition(b"?")
    if path[:1] != b"/":
        raise HTTPError(400, "not a request target")
    segments = [unquote(segment) for segment in path.split(b"/")]
    for segment in segments:
        if segment in (".", "..") or "/" in segment or "\0" in segment:
            raise HTTPError(400, "not a plain path")
    return "/".join(segments), query


def parse_query(query):
    """-> {name: value} of a query string or a form's body, as text; the last of a name wins. Raises HTTPError 400."""
    pairs = {}
    for pair in query.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            pairs[unquote(name.replace(b"+", b" "))] = unquote(value.replace(b"+", b" "))
    return pairs


def unquote(raw):
    """-> the text that percent-encoded bytes stand for. Raises HTTPError 400."""
    parts = raw.split(b"%")
    for i in range(1, len(parts)):
        digits = parts[i][:2]
        if len(digits) != 2 or digits.strip(_HEX):
            raise HTTPError(400, "not percent-encoded")
        parts[i] = bytes((int(digits, 16),)) + parts[i][2:]
    try:
        return str(b"".join(parts), "utf-8")
    except UnicodeError:
        raise HTTPError(400, "not UTF-8")


# -- a response's head -----------------------------------------------------------------------------


def response_head(status, headers):
    """-> the bytes before a response's body. headers: (name, value) pairs. ValueError: one holds a line's end."""
    lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "Status"))]
    lines += ["%s: %s" % pair for pair in headers]
    for line in lines:
        if "\r" in line or "\n" in line or "\0" in line:
            raise ValueError("a header with a line's end in it")
    lines += ["", ""]
    return "\r\n".join(lines).encode()


def date(seconds):
    """-> seconds since 1970 as HTTP writes them, RFC 9110, 5.6.7."""
    t = time.gmtime(seconds)
    return "%s, %02d %s %04d %02d:%02d:%02d GMT" % (_DAYS[t[6]], t[2], _MONTHS[t[1] - 1], t[0], t[3], t[4], t[5])
