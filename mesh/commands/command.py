"""Command: one of `python -m mesh`, as the table has it, and what all of them need."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mesh.control import Answer, Json, Say
from mesh.members import Member
from mesh.running import RunningNode
from mesh.trust.folder import MESH, folder_of
from shared import paths
from shared.errors import FedLoomError, SettingsInvalid
from shared.security.key_id import KeyId, KeyIdInvalid

NodeAnswer = Callable[[RunningNode, Json, Say], Awaitable[Json]]


@dataclass(frozen=True)
class Command:
    """What a person types after `python -m mesh`."""

    name: str
    help: str
    add_flags: Callable[[argparse.ArgumentParser], None]
    carry_out: Callable[[argparse.Namespace], int]
    """In the process of the command; returns the exit code, and may raise FedLoomError."""
    answer: NodeAnswer | None = None
    """In the node that runs, to what the command asks under its own name; None: it asks nothing."""


class NotKnown(FedLoomError):
    """Nobody is meant by a name, or several are."""


def answers_of(node: RunningNode, commands: Iterable[Command]) -> Mapping[str, Answer]:
    """What a node answers to these commands, for `mesh.control.control`."""
    return {each.name: partial(each.answer, node) for each in commands if each.answer is not None}


def node_folder(arguments: argparse.Namespace) -> Path:
    """The folder of the node that is meant. Raises SettingsInvalid."""
    home = paths.home_dir()
    if arguments.name is not None:
        return folder_of(home, arguments.name)
    there = sorted(path.name for path in (home / MESH).glob("*") if path.is_dir())
    match there:
        case [name]:
            return folder_of(home, name)
        case []:
            raise SettingsInvalid(
                f"There is no node in {home.absolute()} yet. Start one with `python -m mesh node --name "
                "NAME`, or say where it keeps its files with FEDLOOM_HOME."
            )
    raise SettingsInvalid(f"There are several nodes here: {', '.join(there)}. Say which one with --name.")


def no_flags(_parser: argparse.ArgumentParser) -> None:
    """For a command that has none."""


def key_named(text: str, members: Mapping[KeyId, Member], others: Mapping[KeyId, str]) -> KeyId:
    """Who is meant: by the name, the eight letters or the whole id of the key. `others`: with names, who are
    no members, such as those that are blocked. Raises NotKnown."""
    names = {**others, **{key: member.name for key, member in members.items()}}
    found = [key for key, name in names.items() if text in (name or None, key.short)]
    if len(found) == 1:
        return found[0]
    if found:
        keys = ", ".join(sorted(key.short for key in found))
        raise NotKnown(f"Several nodes are called {text}: say which one by the letters of its key, {keys}.")
    try:
        return KeyId.parse(text)
    except KeyIdInvalid as error:
        known = ", ".join(sorted({name for name in names.values() if name})) or "nobody"
        raise NotKnown(f"Nobody is known here as {text!r}. Known: {known}.") from error
