"""The plan: what has to happen here so that the folder is as the newest of what all say. Nothing is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mesh.files.entry import Entry, outcome
from mesh.files.index import Local
from mesh.files.version import Order
from mesh.files.walk import Spellings
from shared.security.key_id import KeyId

Claims = Mapping[KeyId, Mapping[str, Entry]]
"""What others have, each by its own word."""


@dataclass(frozen=True)
class Wanted:
    """A file that is to be here in another state than it is."""

    entry: Entry
    is_conflict: bool
    """Whether what is here is kept beside it."""


@dataclass(frozen=True)
class Aside:
    """A file here whose name gives way to another that cannot lie beside it on every file system."""

    name: str
    rival: str


@dataclass
class Plan:
    """What has to happen."""

    adopt: list[Entry] = field(default_factory=list)
    """The file is as it should be; only its version, or its right to be run, changes."""
    wanted: list[Wanted] = field(default_factory=list)
    deleted: list[Entry] = field(default_factory=list)
    aside: list[Aside] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)
    """Files that cannot come, with the reason as the end of a sentence."""


def plan(known: Mapping[str, Local], claims: Claims, ignores: Callable[[str], bool], oldest_ns: int) -> Plan:
    """What has to happen, by what is here and what others claim. `oldest_ns`: deletions that were made before
    it need not be remembered here."""
    result = Plan()
    for name in sorted({name for entries in claims.values() for name in entries}):
        if not ignores(name):
            others = [entries[name] for entries in claims.values() if name in entries]
            _plan_one(known.get(name), others, result, oldest_ns)
    _resolve_rivals(known, result)
    return result


def _plan_one(local: Local | None, others: Iterable[Entry], result: Plan, oldest_ns: int) -> None:
    mine = local.entry if local is not None else None
    other = newest(others, mine)
    if other is None:
        return
    decided = outcome(mine, other)
    entry = decided.entry
    if entry == mine:
        return
    is_same = mine is not None and mine.content == entry.content
    if entry.is_deleted:
        if mine is None and entry.modified_ns < oldest_ns:
            return  # others will forget it soon, and would hear of it from here again
        if mine is None or mine.is_deleted:
            result.adopt.append(entry)
        else:
            result.deleted.append(entry)
    elif is_same and local is not None and (not local.is_own_affair or local.entry.version.is_untold):
        result.adopt.append(entry)
    else:
        is_changed_here = local is not None and local.is_own_affair
        result.wanted.append(Wanted(entry, decided.is_conflict or is_changed_here))


def newest(others: Iterable[Entry], mine: Entry | None) -> Entry | None:
    """The state that this node should have by the word of others: none that its own has seen, or that another
    of them has; of several, the one that would keep the name."""
    heads: list[Entry] = []
    for other in others:
        if mine is not None and other.version.compared(mine.version) is Order.OLDER:
            continue
        if any(other.version.compared(head.version) is Order.OLDER for head in heads):
            continue
        heads = [head for head in heads if head.version.compared(other.version) is not Order.OLDER]
        heads.append(other)
    return max(heads, key=lambda entry: entry.rank, default=None)


def _resolve_rivals(known: Mapping[str, Local], result: Plan) -> None:
    """Of two names that cannot lie side by side, the first in order stays; a file gives way to a folder.

    Who has the file that gives way renames it, and tells so; others wait for that. Folders that differ in
    their spelling alone are left to people: a file in one of them cannot come until they are spelled alike.
    """
    leaving = {entry.name for entry in result.deleted}
    here = {name for name, local in known.items() if not local.entry.is_deleted and name not in leaving}
    coming = sorted({wanted.entry.name for wanted in result.wanted} - here, key=_precedence)
    if not coming:
        return
    folders = Spellings()
    for name in here:
        folders.add_folders(name)
    for name in coming:
        if (rival := folders.other_spelling(name)) is not None:
            result.blocked[name] = f"its folder has the name {rival} here: rename one of them"
    spellings = Spellings()
    for name in sorted(here.union(coming) - result.blocked.keys(), key=_precedence):
        rival = spellings.rival(name)
        if rival is None:
            spellings.add(name)
        elif name in here:
            result.aside.append(Aside(name, rival))
        else:
            result.blocked[name] = f"it cannot lie beside {rival}: one of them has to be renamed"
    result.wanted = [wanted for wanted in result.wanted if wanted.entry.name not in result.blocked]


def _precedence(name: str) -> tuple[int, str]:
    """Deep names first: what lies in a folder comes before a file with the folder's name."""
    return -name.count("/"), name
