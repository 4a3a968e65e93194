"""Entry: what a node says of one file, and what two such say together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mesh.files.version import Order, Version
from mesh.node import Content


@dataclass(frozen=True, slots=True)
class Entry:
    """A file's state, or that it was deleted."""

    name: str
    """The path from the folder on, with slashes."""
    version: Version
    writer: str
    """Who made this state: letters of the node's key, a hyphen, and which index it was counted in."""
    modified_ns: int
    """When, by that node's clock: shown to people, and no proof of an order. Nanoseconds since 1970."""
    content: Content | None
    """None: the file was deleted, which has to be remembered or it would come back."""
    executable: bool = False

    @property
    def is_deleted(self) -> bool:
        """Whether the file is no more."""
        return self.content is None

    @property
    def device(self) -> str:
        """The node that made this state, as names of conflict copies have it."""
        return self.writer.partition("-")[0]

    @property
    def rank(self) -> tuple[bool, int, bytes, int, bool, str]:
        """Which of two states that have not seen each other keeps the name, the same on each node: a file
        before a deletion, then the one changed last."""
        content = self.content or Content(b"", 0)
        return (
            self.content is not None,
            self.modified_ns,
            content.root,
            content.size,
            self.executable,
            self.writer,
        )


@dataclass(frozen=True)
class Outcome:
    """What a node that has one state makes of another."""

    entry: Entry
    """What is to be here."""
    is_conflict: bool = False
    """Whether the state that is here must be kept beside it: the other has not seen it."""


def outcome(mine: Entry | None, other: Entry) -> Outcome:
    """What becomes of a file here when another node has it in a certain state.

    Only who holds the state that gives way joins both versions. If others did it, their joint version would
    replace that state as an old one, and nobody would keep it beside the other.
    """
    if mine is None:
        return Outcome(other)
    order = mine.version.compared(other.version)
    if order is Order.NEWER or other == mine:
        return Outcome(mine)
    if order is Order.OLDER:
        return Outcome(other)
    winner = max(mine, other, key=lambda entry: entry.rank)
    joint = replace(winner, version=mine.version.joined(other.version))
    if mine.content == other.content:
        return Outcome(joint)
    if winner is mine:
        return Outcome(mine)
    return Outcome(joint, is_conflict=not mine.is_deleted)
