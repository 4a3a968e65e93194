"""Whether what a client says of itself can be right: the check of a hello."""

from __future__ import annotations

from app.records import LOG_SOURCE
from shared.names import CLIENT_ID
from shared.proto.link_pb2 import Hello
from shared.version import __version__
from shared.wire import PROTOCOL_VERSION

MAX_NAME = 255
MAX_NAMES = 64
MAX_HOLDING = 100_000


def objection(hello: Hello) -> str | None:
    """Why a hello is refused for good, in words for the person at the client; None when it is not."""
    if hello.protocol != PROTOCOL_VERSION:
        return (
            f"This server speaks version {PROTOCOL_VERSION} of the link (FedLoom {__version__}), "
            f"the client version {hello.protocol} (FedLoom {hello.version[:32]!r}). "
            "Install the same FedLoom on both."
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
    return None
