"""Whether what a client says of itself can be right: the check of a hello."""

from __future__ import annotations

from app.federation.link.mesh_reports import mesh_of, peers_of, story_of
from app.records import LOG_SOURCE
from shared.errors import WireError
from shared.names import CLIENT_ID
from shared.proto.link_pb2 import Hello
from shared.version import __version__
from shared.wire import PROTOCOL_VERSION

MAX_NAME = 255
MAX_NAMES = 64
MAX_HOLDING = 100_000


def difference(hello: Hello) -> str | None:
    """What to say of a client that has another FedLoom and the same link, which work together; None: it has
    the same."""
    if hello.version == __version__:
        return None
    return (
        f"{hello.client_id} has FedLoom {hello.version[:32] or 'of an unknown version'}, this server "
        f"{__version__}: they work together, since both speak version {PROTOCOL_VERSION} of the link"
    )


def objection(hello: Hello) -> str | None:
    """Why a hello is refused for good, in words for the person at the client; None when it is not."""
    if hello.protocol != PROTOCOL_VERSION:
        return (
            f"This server speaks version {PROTOCOL_VERSION} of the link (FedLoom {__version__}), "
            f"the client version {hello.protocol} (FedLoom {hello.version[:32]!r}). "
            f"{'Update the client' if hello.protocol < PROTOCOL_VERSION else 'Have the server updated'}: "
            "versions with the same number work together."
        )
    if not CLIENT_ID.fullmatch(hello.client_id) or hello.client_id == LOG_SOURCE:
        return (
            "A client id has 1 to 64 letters, digits, dots, dashes and underscores, begins with a letter "
            f"or digit, and is not {LOG_SOURCE!r}. Choose another --client-id."
        )
    app = hello.app
    names = (hello.dataset, hello.host, hello.device, hello.version, *hello.models)
    names = (*names, app.name, app.version, app.digest)
    held = hello.holding
    if len(held) > MAX_HOLDING or not all(len(message_id) <= MAX_NAME for message_id in held):
        return "The hello names more messages than a client can hold, or one that is none."
    if len(names) > MAX_NAMES or not all(len(name) <= MAX_NAME and name.isprintable() for name in names):
        return "A name in the hello is too long, or cannot be printed."
    try:
        mesh_of(hello.mesh)
        peers_of(hello.mesh)
        story_of(hello.mesh)
    except WireError as error:
        return f"What the hello says of the mesh cannot be used. {error}"
    return None
