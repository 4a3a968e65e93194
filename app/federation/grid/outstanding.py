"""Outstanding: the messages of a grid that are on their way, and the replies that nobody has taken yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

from app.federation.grid.codec import Arrived, OpenReply, failed, refused, unpack
from app.federation.grid.inbox import NOT_USED, Away, Back, Failed, FromClients, Reply
from app.federation.grid.instruction import Instruction
from app.federation.grid.owner import Observer
from app.federation.grid.transport import Transport
from app.federation.link.task import Judged
from app.records import Verdict
from shared.errors import ReplyInvalid
from shared.flower import client_unavailable
from shared.natural_order import natural_key


class Outstanding:
    """Those of one grid, by the messages' ids. Called in the grid's turn, but for `len`."""

    def __init__(self, link: Transport, observer: Observer, open_reply: OpenReply) -> None:
        self._link = link
        self._observer = observer
        self._open_reply = open_reply
        self._sent: dict[str, Instruction] = {}
        self._away: dict[str, str] = {}
        self._arrived: dict[str, Arrived] = {}

    def __len__(self) -> int:
        """How many messages are on their way."""
        return len(self._sent)

    @property
    def away(self) -> Set[str]:
        """The messages whose clients are away."""
        return self._away.keys()

    def add(self, instructions: Iterable[Instruction]) -> None:
        """These go out."""
        self._sent.update({item.message.metadata.message_id: item for item in instructions})

    def heard(self, item: FromClients) -> None:
        """Something has become of a message."""
        match item:
            case Reply(message_id, payload, judged):
                with payload:
                    reply = self._arrive(message_id, lambda sent: unpack(sent, payload, self._open_reply))
                _tell_verdict(reply, judged)
            case Failed(message_id):
                self._arrive(message_id, lambda sent: failed(sent, item))
            case Away(message_id, reason):
                if message_id in self._sent:
                    self._away[message_id] = reason
            case Back(message_id):
                self._away.pop(message_id, None)

    def take(self, message_id: str) -> Arrived | None:
        """The reply to a message, or the error that stands for it, if it has arrived and was not taken."""
        return self._arrived.pop(message_id, None)

    def holdups(self, message_ids: Iterable[str]) -> tuple[list[str], list[str]]:
        """The clients that the messages are with, and those of them that are away."""
        away = {self._sent[message_id].client_id: message_id in self._away for message_id in message_ids}
        clients = sorted(away, key=natural_key)
        return clients, [client_id for client_id in clients if away[client_id]]

    def mark_late(self, message_id: str) -> None:
        """Show that the client of a message has missed a deadline; its reply is still wanted."""
        self._link.mark_late(self._sent[message_id].client_id, message_id)

    def give_up_if_away(self, message_id: str) -> None:
        """Have an error reply stand for a client that is away, if it is."""
        reason = self._away.get(message_id)
        if reason is not None:
            self._link.withdraw(self._sent[message_id].client_id, message_id, reason)
            self._arrive(message_id, lambda sent: Arrived(client_unavailable(sent.message, reason)))

    def give_up(self, message_id: str, reason: str) -> None:
        """The reply to a message is no longer wanted: its client is late."""
        if (instruction := self._sent.get(message_id)) is not None:
            self._observer.late(instruction)
            self._withdraw(message_id, reason, late=True)

    def withdraw_all(self, reason: str) -> None:
        """No reply is wanted any more."""
        for message_id in tuple(self._sent):
            self._withdraw(message_id, reason)

    def _arrive(self, message_id: str, read: Callable[[Instruction], Arrived]) -> Arrived | None:
        """A reply to be given to whoever asks for it, or an error in its place; None: it was withdrawn
        before."""
        instruction = self._sent.pop(message_id, None)
        self._away.pop(message_id, None)
        if instruction is None:
            return None
        reply = read(instruction)
        try:
            self._observer.replied(instruction, reply.message, reply.verdict)
        except ReplyInvalid as error:
            reply = refused(instruction, error)
            self._observer.replied(instruction, reply.message, reply.verdict)
        self._arrived[message_id] = reply
        return reply

    def _withdraw(self, message_id: str, reason: str, *, late: bool = False) -> None:
        instruction = self._sent.pop(message_id, None)
        self._away.pop(message_id, None)
        if instruction is not None:
            self._link.withdraw(instruction.client_id, message_id, reason, late=late)


def _tell_verdict(reply: Arrived | None, judged: Judged) -> None:
    """What is decided of a reply that is genuine."""
    if reply is None:
        judged(Verdict.LATE, NOT_USED)
    elif reply.verdict is Verdict.MALFORMED:
        judged(Verdict.MALFORMED, reply.message.error.reason)
    else:
        judged(Verdict.ACCEPTED, None)
