"""`python -m mesh send`: a line of text for another node, which shows it in its log."""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from collections.abc import Callable, Mapping

from mesh.commands.command import Command, key_named, node_folder
from mesh.control import Json, Say, ask
from mesh.members import Member
from mesh.node import Received
from mesh.running import RunningNode
from shared.security.key_id import KeyId

TOPIC = "text"
MAX_CHARACTERS = 2_000
SHOWN_BYTES = 64 << 10
"""Of one member's messages in the log, in a spell."""
LINE_BYTES = 64
"""What stands in the log beside the text."""
SPELL_S = 60.0

log = logging.getLogger(__name__)


class Log:
    """Messages in the node's log. A member that sends without end fills no disk."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock`: monotonic seconds."""
        self._clock = clock
        self._begun = -SPELL_S
        self._bytes: Counter[KeyId] = Counter()

    def take(self, message: Received, members: Mapping[KeyId, Member]) -> None:
        """Show it, unless its sender has had its share."""
        now = self._clock()
        if now - self._begun >= SPELL_S:
            self._begun, self._bytes = now, Counter()
        before = self._bytes[message.sender]
        self._bytes[message.sender] += len(message.body) + LINE_BYTES
        if self._bytes[message.sender] <= SHOWN_BYTES:
            show(message, members)
        elif before <= SHOWN_BYTES:
            log.warning("%s sends too much: more is not shown for a minute", _name(message.sender, members))


def show(message: Received, members: Mapping[KeyId, Member]) -> None:
    """What a member has sent, fit for a terminal."""
    text = message.body.decode("utf-8", "replace")[:MAX_CHARACTERS]
    printable = "".join(each if each.isprintable() else "\ufffd" for each in text)
    log.info("message from %s: %s", _name(message.sender, members), printable)


def _name(key: KeyId, members: Mapping[KeyId, Member]) -> str:
    member = members.get(key)
    return key.short if member is None else member.name


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "to", metavar="NAME", help="for whom: the name of a member, or the letters of its key"
    )
    parser.add_argument("text", metavar="TEXT", type=_short_text, help=f"at most {MAX_CHARACTERS} characters")


def _carry_out(arguments: argparse.Namespace) -> int:
    answer = ask(node_folder(arguments), "send", to=arguments.to, text=arguments.text)
    print(f"{answer['name']} has it.")
    return 0


async def _answer(node: RunningNode, request: Json, _say: Say) -> Json:
    members = node.members.all()
    key = key_named(request["to"], members, {})
    await node.network.send(key, TOPIC, request["text"].encode())
    return {"name": members[key].name if key in members else key.short}


def _short_text(text: str) -> str:
    if not 0 < len(text) <= MAX_CHARACTERS:
        raise argparse.ArgumentTypeError(f"a message has 1 to {MAX_CHARACTERS} characters")
    return text


COMMAND = Command("send", "send a line of text to another node", _add_flags, _carry_out, _answer)
