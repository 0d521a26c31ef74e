"""One SSH connection above its transport: authentication, global requests, channels, and its end.

Source: RFC 4252, 5 (services), RFC 4254, 4 and 5; RFC 8308 (EXT_INFO); OpenSSH's PROTOCOL 1.10 (PING), 2 (keep-alives).
Left out: forwarding of ports, agents and X11, which are refused.
"""

# SPDX-License-Identifier: BSD-3-Clause

from asyncio import core

from micropython import const

from net.ssh.auth import Authentication
from net.ssh.channel import WINDOW, PACKET_MAX, Channel
from net.ssh.consts import *
from net.ssh.keys import ALGORITHMS
from net.ssh.transport import Transport
from net.ssh.wire import boolean, byte, name_list, string, u32

_OFFER_MS = const(50)  # for the peer to begin the key exchange


class Connection(Transport):
    """server: the Server it belongs to, which says who may enter and what serves a channel. host: where it comes from."""

    def __init__(self, server, sock, host):
        super().__init__(sock, server.host_key, server.limits)
        self.host = host
        self.authenticated = False
        self._server = server
        self._authentication = Authentication(server.keys)
        self._service = None
        self._key = None
        self._channels = {}  # our number -> Channel
        self._heard = False  # since the last look
        self._task = None
        self._failure = None

    # -- life ----------------------------------------------------------------------------------

    async def run(self):
        """Task: serve the peer until either side ends it."""
        self._task = core.cur_task
        helpers = [core.create_task(self._write()), core.create_task(self._watch())]
        end = self._failure  # it may have come before this task ran
        try:
            if not end:
                await self.read_in()
        except Disconnect as e:
            end = e
        except core.CancelledError:
            end = self._failure
        except OSError:
            pass  # the peer is gone
        except Exception as e:
            self._server.report(e)
        finally:  # also where Ctrl-C meant for somebody else's event loop came in here
            for task in helpers:
                task.cancel()
            self._leave(end)

    def fail(self, e):
        """End the connection, with a Disconnect for the peer, from another task."""
        if not self._failure and not self.closed:
            self._failure = e
            if self._task:
                self._task.cancel()

    def stop(self, e):
        """End the connection, and tell the peer at once: the network may be gone when its task runs."""
        try:
            self.disconnect(e)
        except OSError:
            pass  # it does not listen any more
        self.fail(e)
        self.closed = True

    def _leave(self, e):
        try:
            if e and not self.closed:
                self.disconnect(e)
            else:
                self.flush()
        except OSError:
            pass  # it does not listen any more
        self.closed = True
        for channel in self._channels.values():
            channel.lost()
        self._channels.clear()
        self.wipe()
        self._sock.close()
        self._server.forget(self)

    async def _write(self):
        try:
            await self.write_out()
        except OSError:
            self.fail(Disconnect(DISCONNECT_CONNECTION_LOST, "cannot send"))
        except KeyboardInterrupt:  # meant for somebody else's event loop
            self.fail(Disconnect(DISCONNECT_BY_APPLICATION, "interrupted"))
            raise

    async def _watch(self):
        """End a peer that does not get in, or is not there any more."""
        limits = self._limits
        await core.sleep_ms(_OFFER_MS)
        self.offer()
        await core.sleep_ms(limits.grace_ms)
        if not self.authenticated:
            self.fail(Disconnect(DISCONNECT_BY_APPLICATION, "too slow to authenticate"))
            return
        missed = 0
        while missed < limits.missed_max:
            await core.sleep_ms(limits.alive_ms)
            missed = 0 if self._heard else missed + 1
            self._heard = False
            if missed and self.can_send:
                self.send(byte(MSG_GLOBAL_REQUEST), string(b"keepalive@openssh.com"), boolean(True))
                self.wake()
        self.fail(Disconnect(DISCONNECT_CONNECTION_LOST, "no answer"))

    def turn_of_others(self):
        """Awaited, lets what is queued go out."""
        return core.sleep_ms(0)

    # -- messages ------------------------------------------------------------------------------

    def receive(self, number, reader):
        """Handle a message that is not the transport's own. -> False: there is no such message."""
        self._heard = True
        if MSG_CHANNEL_OPEN_CONFIRMATION <= number <= MSG_CHANNEL_FAILURE and self.authenticated:
            return self._on_channel(number, reader)
        handler = _HANDLERS.get(number)
        if not handler:
            return False
        if number > MSG_USERAUTH_REQUEST and number != MSG_PING and not self.authenticated:
            raise protocol_error("message %d before authentication" % number)
        handler(self, reader)
        return True

    def send_ext_info(self):
        pairs = (b"server-sig-algs", ",".join(ALGORITHMS).encode()), (b"ping@openssh.com", b"0")
        self.send(byte(MSG_EXT_INFO), u32(len(pairs)), b"".join([string(name) + string(value) for name, value in pairs]))

    def _on_ext_info(self, reader):
        for _ in range(min(reader.u32(), 1024)):
            reader.string()
            reader.string()
        reader.check_end()

    def _on_service_request(self, reader):
        name = reader.string()
        reader.check_end()
        if name != b"ssh-userauth" and not (name == b"ssh-connection" and self.authenticated):
            raise Disconnect(DISCONNECT_SERVICE_NOT_AVAILABLE, "no such service")
        self._service = name
        self.send(byte(MSG_SERVICE_ACCEPT), string(name))

    def _on_userauth(self, reader):
        if self.authenticated:
            return  # RFC 4252, 5.1: to be passed over
        if self._service is None:
            raise protocol_error("authentication without its service")
        answer, self.authenticated, self._key = self._authentication.request(self.session_id, reader)
        if self.authenticated:
            self.quota = None
        self.send(answer)

    def _on_global_request(self, reader):
        reader.string()
        if reader.boolean():
            self.send(byte(MSG_REQUEST_FAILURE))  # also what a keep-alive is answered with

    def _on_answer(self, reader):
        pass  # to our keep-alives

    def _on_ping(self, reader):
        data = reader.string()
        reader.check_end()
        self.send(byte(MSG_PONG), string(data))

    # -- channels ------------------------------------------------------------------------------

    def _on_channel_open(self, reader):
        kind, peer_number = reader.string(), reader.u32()
        window, packet_max = reader.u32(), reader.u32()
        reason = 0
        if kind != b"session":
            known = kind in (b"direct-tcpip", b"direct-streamlocal@openssh.com", b"x11", b"auth-agent@openssh.com")
            reason = OPEN_ADMINISTRATIVELY_PROHIBITED if known else OPEN_UNKNOWN_CHANNEL_TYPE
        elif len(self._channels) >= self._limits.channels_max or packet_max < 1:
            reason = OPEN_RESOURCE_SHORTAGE
        if reason:
            self.send(byte(MSG_CHANNEL_OPEN_FAILURE), u32(peer_number), u32(reason), string(b"only a few sessions"), string(b""))
            return
        reader.check_end()
        number = 0
        while number in self._channels:
            number += 1
        self._channels[number] = Channel(self, number, peer_number, window, packet_max, self._key)
        self.send(byte(MSG_CHANNEL_OPEN_CONFIRMATION), u32(peer_number), u32(number), u32(WINDOW), u32(PACKET_MAX))

    def _on_channel(self, number, reader):
        handler = _CHANNEL_HANDLERS.get(number)
        if not handler:
            return number in (MSG_CHANNEL_SUCCESS, MSG_CHANNEL_FAILURE)  # we ask for nothing
        channel = self._channels.get(reader.u32())
        if not channel:
            raise protocol_error("no such channel")
        if handler(channel, reader):
            self._channels = {n: c for n, c in self._channels.items() if c is not channel}
        return True

    def push(self):
        """Let channels send what there is room for."""
        for channel in list(self._channels.values()):
            channel.push()

    def start(self, channel):
        """A channel wants its shell or command."""
        core.create_task(self._serve(channel))

    async def _serve(self, channel):
        status = 255
        try:
            status = await self._server.serve(channel)
        except (core.CancelledError, OSError):
            pass  # its peer is gone
        except Exception as e:
            self._server.report(e)
        channel.listener = None
        await channel.finish(status)


_HANDLERS = {
    MSG_SERVICE_REQUEST: Connection._on_service_request,
    MSG_EXT_INFO: Connection._on_ext_info,
    MSG_USERAUTH_REQUEST: Connection._on_userauth,
    MSG_GLOBAL_REQUEST: Connection._on_global_request,
    MSG_REQUEST_SUCCESS: Connection._on_answer,
    MSG_REQUEST_FAILURE: Connection._on_answer,
    MSG_CHANNEL_OPEN: Connection._on_channel_open,
    MSG_PING: Connection._on_ping,
}

_CHANNEL_HANDLERS = {
    MSG_CHANNEL_WINDOW_ADJUST: Channel.on_window_adjust,
    MSG_CHANNEL_DATA: Channel.on_data,
    MSG_CHANNEL_EXTENDED_DATA: Channel.on_extended_data,
    MSG_CHANNEL_EOF: Channel.on_eof,
    MSG_CHANNEL_CLOSE: Channel.on_close,
    MSG_CHANNEL_REQUEST: Channel.on_request,
}
