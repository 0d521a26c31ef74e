"""Numbers of the SSH protocol under their names in the RFCs, and the error that ends a connection.

Source: RFC 4250 (all of them), RFC 5656, 7.1 (ECDH), RFC 8308, 2.3 (EXT_INFO), OpenSSH's PROTOCOL 1.10 (PING).
"""

# SPDX-License-Identifier: BSD-3-Clause

from micropython import const

# -- messages
MSG_DISCONNECT = const(1)
MSG_IGNORE = const(2)
MSG_UNIMPLEMENTED = const(3)
MSG_DEBUG = const(4)
MSG_SERVICE_REQUEST = const(5)
MSG_SERVICE_ACCEPT = const(6)
MSG_EXT_INFO = const(7)
MSG_KEXINIT = const(20)
MSG_NEWKEYS = const(21)
MSG_KEX_ECDH_INIT = const(30)
MSG_KEX_ECDH_REPLY = const(31)
MSG_USERAUTH_REQUEST = const(50)
MSG_USERAUTH_FAILURE = const(51)
MSG_USERAUTH_SUCCESS = const(52)
MSG_USERAUTH_BANNER = const(53)
MSG_USERAUTH_PK_OK = const(60)
MSG_GLOBAL_REQUEST = const(80)
MSG_REQUEST_SUCCESS = const(81)
MSG_REQUEST_FAILURE = const(82)
MSG_CHANNEL_OPEN = const(90)
MSG_CHANNEL_OPEN_CONFIRMATION = const(91)
MSG_CHANNEL_OPEN_FAILURE = const(92)
MSG_CHANNEL_WINDOW_ADJUST = const(93)
MSG_CHANNEL_DATA = const(94)
MSG_CHANNEL_EXTENDED_DATA = const(95)
MSG_CHANNEL_EOF = const(96)
MSG_CHANNEL_CLOSE = const(97)
MSG_CHANNEL_REQUEST = const(98)
MSG_CHANNEL_SUCCESS = const(99)
MSG_CHANNEL_FAILURE = const(100)
MSG_PING = const(192)
MSG_PONG = const(193)

# -- reasons of a disconnection
DISCONNECT_PROTOCOL_ERROR = const(2)
DISCONNECT_KEY_EXCHANGE_FAILED = const(3)
DISCONNECT_MAC_ERROR = const(5)
DISCONNECT_SERVICE_NOT_AVAILABLE = const(7)
DISCONNECT_PROTOCOL_VERSION_NOT_SUPPORTED = const(8)
DISCONNECT_CONNECTION_LOST = const(10)
DISCONNECT_BY_APPLICATION = const(11)
DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE = const(14)

# -- reasons for which a channel is not opened
OPEN_ADMINISTRATIVELY_PROHIBITED = const(1)
OPEN_UNKNOWN_CHANNEL_TYPE = const(3)
OPEN_RESOURCE_SHORTAGE = const(4)


class Disconnect(Exception):
    """Ends the connection with a reason that the peer is told. args: number, text."""


def protocol_error(text):
    """-> a Disconnect for a peer that breaks the protocol."""
    return Disconnect(DISCONNECT_PROTOCOL_ERROR, text)
