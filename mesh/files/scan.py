"""A scan: what has changed in a folder since it was read last."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mesh.files.ignore import IgnoreRules
from mesh.files.index import Local
from mesh.files.reading import content_of
from mesh.files.tree import Stat, Tree
from mesh.files.walk import Found, NotShared, Spellings, walk
from mesh.node import Content

RACY_NS = 2_000_000_000
"""A file that was changed so shortly before it was read may change again without another time: it is read
once more with the next scan, as Git does."""


@dataclass(frozen=True)
class Read:
    """A file that is new, or may have changed, and what it holds."""

    found: Found
    content: Content
    seen: Stat | None
    """As Local has it."""


@dataclass
class Scan:
    """What a scan has found."""

    read: list[Read] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Files that are in the index and no more in the folder."""
    ignored: list[str] = field(default_factory=list)
    """Files that are in the index, and which the rules leave out now."""
    not_shared: list[NotShared] = field(default_factory=list)


def scan(
    tree: Tree,
    known: Mapping[str, Local],
    rules: IgnoreRules,
    go_on: Callable[[], None] = lambda: None,
    *,
    receive_only: bool = False,
) -> Scan:
    """Look at all files, and read those that are not as they were; unless the folder only receives, also
    those of which nobody was told. `go_on` is called often, and ends it by raising. Raises OSError where the
    folder cannot be looked through."""
    result = Scan()
    found: dict[str, Found] = {}
    lying: set[str] = set()
    for item in walk(tree, rules, go_on):
        if isinstance(item, NotShared):
            result.not_shared.append(item)
        else:
            found[item.name] = item
        lying.add(item.name)
    spellings = Spellings()
    for name in sorted(found, key=lambda name: (not _is_file(known, name), name)):
        if (rival := spellings.rival(name)) is not None:
            result.not_shared.append(NotShared(name, f"other systems would take it for {rival}: rename one"))
            continue
        spellings.add(name)
        local = known.get(name)
        if (
            local is None
            or (local.is_own_affair and not receive_only)
            or not _is_as_it_was(found[name], local)
        ):
            _look_at(tree, found[name], result, go_on)
    for name, local in known.items():
        if rules.ignores(name):
            result.ignored.append(name)
        elif name not in lying and not local.entry.is_deleted:
            result.gone.append(name)
    return result


def _is_file(known: Mapping[str, Local], name: str) -> bool:
    local = known.get(name)
    return local is not None and not local.entry.is_deleted


def _is_as_it_was(found: Found, local: Local) -> bool:
    return local.seen == found.stat and local.entry.executable == found.executable


def _look_at(tree: Tree, found: Found, result: Scan, go_on: Callable[[], None]) -> None:
    started = time.time_ns()
    try:
        descriptor = tree.open(found.name)
    except OSError as error:
        result.not_shared.append(NotShared(found.name, f"it cannot be read: {error.strerror or error}"))
        return
    try:
        content = content_of(descriptor, go_on)
        seen = Stat.of(os.fstat(descriptor))
    except OSError as error:
        result.not_shared.append(NotShared(found.name, f"it cannot be read: {error.strerror or error}"))
        return
    finally:
        os.close(descriptor)
    if seen != found.stat or content.size != seen.size:
        result.not_shared.append(NotShared(found.name, "it is being written; the next scan looks again"))
        return
    is_racy = abs(started - seen.modified_ns) < RACY_NS
    result.read.append(Read(found, content, None if is_racy else seen))
