"""Messages as the link takes them, and what comes back of them as the grid hands it on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flwr.app import Message

from app.federation.grid.content import Content
from app.federation.grid.inbox import Away, Back, Failed, Item, Reply
from app.federation.grid.instruction import Instruction
from app.federation.link.task import Task
from app.records import Verdict
from shared.app_host.channel import Part
from shared.app_host.serialised import Serialised
from shared.chunks import opening
from shared.errors import ReplyInvalid, WireError
from shared.flower import client_declined, client_failed, decode, encode_envelope
from shared.payload import Payload, require_size


@dataclass(frozen=True)
class Arrived:
    """A reply, or the error that stands for one."""

    message: Message
    parts: Sequence[Part] | None = None
    """The reply as the bytes that came, its skeleton and the data of each array, where it is only passed on;
    the message is without the arrays then."""
    verdict: Verdict | None = None
    """What was decided of the reply; None: there was none, or it is not known yet."""


OpenReply = Callable[[Payload], Arrived]
"""Makes a reply of the bytes that came. Raises WireError, and ReplyInvalid for one that must not be used."""


def opened(payload: Payload) -> Arrived:
    """An OpenReply: the reply with all that is in it."""
    return Arrived(decode(payload))


class Packer:
    """Makes a batch of messages ready. Those that share their content share its bytes.

    `largest_reply` says, of a kind of message and its bytes, how many bytes a reply has at most; `put` takes
    what becomes of the messages, in the link thread.
    """

    def __init__(
        self, run_id: int, largest_reply: Callable[[str, int], int], put: Callable[[Item], None]
    ) -> None:
        self._run_id = run_id
        self._largest_reply = largest_reply
        self._put = put
        self._contents: dict[int, Content] = {}

    def pack(self, item: Instruction, serialised: Serialised, cohort: int = 0) -> Task:
        """One message with its content; `cohort`: as `shared.chunks.opening` has it.

        Raises WireError if it is too large for the link.
        """
        if (content := self._contents.get(id(serialised))) is None:
            require_size(len(serialised.skeleton), serialised.array_bytes)
            content = self._contents[id(serialised)] = Content(serialised)
        envelope = encode_envelope(item.message)
        message_id = item.message.metadata.message_id
        begun = opening(
            message_id, envelope, len(envelope) + len(content.skeleton), content.array_bytes, cohort
        )
        put = self._put
        return Task(
            run_id=self._run_id,
            message_id=message_id,
            client_id=item.client_id,
            message_type=item.message.metadata.message_type,
            round=item.round,
            opening=begun,
            content=content,
            max_reply_bytes=self._largest_reply(item.kind, begun.total_bytes),
            on_reply=lambda payload, judged: put(Reply(message_id, payload, judged)),
            on_failure=lambda reason, verdict, rule="": put(Failed(message_id, reason, verdict, rule)),
            on_away=lambda reason: put(Away(message_id, reason)),
            on_back=lambda: put(Back(message_id)),
        )


def unpack(instruction: Instruction, payload: Payload, open_reply: OpenReply) -> Arrived:
    """The reply in a payload; an error reply in place of one that cannot be used."""
    try:
        arrived = open_reply(payload)
        _check_addresses(instruction.message, arrived.message)
    except (WireError, ReplyInvalid) as error:
        return refused(instruction, error)
    return replace(arrived, verdict=Verdict.ACCEPTED)


def failed(instruction: Instruction, failure: Failed) -> Arrived:
    """What stands for a reply that there is not."""
    message, reason = instruction.message, failure.reason
    if failure.verdict is Verdict.DECLINED:
        return Arrived(client_declined(message, reason, failure.rule), verdict=failure.verdict)
    return Arrived(client_failed(message, reason), verdict=failure.verdict)


def refused(instruction: Instruction, error: WireError | ReplyInvalid) -> Arrived:
    """What stands for a reply that is genuine, but cannot be used."""
    return Arrived(client_failed(instruction.message, str(error)), verdict=Verdict.MALFORMED)


def _check_addresses(message: Message, reply: Message) -> None:
    sent, got = message.metadata, reply.metadata
    if (got.reply_to_message_id, got.src_node_id, got.run_id) != (
        sent.message_id,
        sent.dst_node_id,
        sent.run_id,
    ):
        raise ReplyInvalid("The reply belongs to another message than the one it came for.")
