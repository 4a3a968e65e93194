"""FrameStream: frames over a connection, and how one is made."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl

from mesh.protocol.framing import LENGTH_BYTES, encode_frame, length_in, parse_frame, with_length
from mesh.protocol.mesh_pb2 import Frame
from mesh.tls import connecting_context, require_key
from shared.address import ANY_ADDRESS, Address
from shared.errors import FedLoomError
from shared.security.certificate import SERVER_NAME
from shared.security.key_id import KeyId

HANDSHAKE_S = 10.0
SHUTDOWN_S = 1.0
BUFFER_BYTES = 1 << 20
BACKLOG = 128


class ConnectionEnded(FedLoomError):
    """The other node has gone, or the network to it."""


class FrameStream:
    """One connection, in TLS. Not for two readers, or two writers, at once."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        """The next frame, without its length. Raises ConnectionEnded and FrameInvalid."""
        try:
            length = length_in(await self._reader.readexactly(LENGTH_BYTES))
            return await self._reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ConnectionEnded("The other node has ended the connection.") from error
        except OSError as error:
            raise ConnectionEnded(f"The connection was lost: {error}.") from error

    async def write(self, data: bytes) -> None:
        """Send a frame; waits while the other end takes nothing. Raises ConnectionEnded."""
        if self._writer.is_closing():
            raise ConnectionEnded("The connection was ended.")
        try:
            self._writer.write(with_length(data))
            await self._writer.drain()
        except OSError as error:
            raise ConnectionEnded(f"The connection was lost: {error}.") from error

    async def read_message(self) -> Frame:
        """The next frame, parsed; raises as `read`."""
        return parse_frame(await self.read())

    async def write_message(self, frame: Frame) -> None:
        """Send a frame; raises as `write`."""
        await self.write(encode_frame(frame))

    @property
    def here(self) -> Address:
        """This end of it."""
        return _address(self._writer.get_extra_info("sockname"))

    @property
    def there(self) -> Address:
        """The other end."""
        return _address(self._writer.get_extra_info("peername"))

    def abort(self) -> None:
        """End the connection at once; what was not sent is lost."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """End it when all is sent, or when the limit of the transport is over."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # the other end was faster


async def connect(address: Address, expected: KeyId) -> FrameStream:
    """To the node with this key at an address; nothing was said yet. Raises OSError, and WrongNode if another
    one is there."""
    reader, writer = await asyncio.open_connection(
        *address,
        ssl=connecting_context(),
        server_hostname=SERVER_NAME,
        ssl_handshake_timeout=HANDSHAKE_S,
        ssl_shutdown_timeout=SHUTDOWN_S,
        limit=BUFFER_BYTES,
    )
    try:
        require_key(writer.get_extra_info("ssl_object").getpeercert(binary_form=True), expected)
    except BaseException:
        writer.transport.abort()
        raise
    return FrameStream(reader, writer)


def listen(address: Address) -> socket.socket:
    """Where nodes connect to. A name is looked up, which may block. Raises OSError."""
    family, _, _, _, where = socket.getaddrinfo(*address, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    is_both = family == socket.AF_INET6 and address.host in ANY_ADDRESS and socket.has_dualstack_ipv6()
    listener = socket.create_server(where[:2], family=family, backlog=BACKLOG, dualstack_ipv6=is_both)
    listener.setblocking(False)
    return listener


async def accept(connection: socket.socket, context: ssl.SSLContext) -> FrameStream:
    """With a node that has connected; nothing was said yet. Raises OSError for one that does not speak
    TLS."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=BUFFER_BYTES)
    transport, protocol = await loop.connect_accepted_socket(
        lambda: asyncio.StreamReaderProtocol(reader),
        connection,
        ssl=context,
        ssl_handshake_timeout=HANDSHAKE_S,
        ssl_shutdown_timeout=SHUTDOWN_S,
    )
    return FrameStream(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


def _address(socket_name: tuple[str, int] | None) -> Address:
    if socket_name is None:  # it is gone already
        return Address("", 0)
    host = ipaddress.ip_address(socket_name[0].partition("%")[0])
    mapped = host.ipv4_mapped if isinstance(host, ipaddress.IPv6Address) else None
    return Address(str(mapped or host), socket_name[1])
