"""What people see of a folder, made of what the node knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mesh.files.index import Local
from mesh.files.names import is_conflict_copy
from mesh.files.plan import Claims, Plan
from mesh.files.states import MAX_SHOWN, FileCondition, FileState, FolderView
from mesh.files.walk import NotShared


def file_states(
    known: Mapping[str, Local],
    left: Plan,
    failed: Mapping[str, str],
    not_shared: Iterable[NotShared],
) -> Iterator[FileState]:
    """Of all files that are not in sync. Those that are wanted wait, as far as is known here."""
    for wanted in left.wanted:
        name = wanted.entry.name
        condition = FileCondition.BLOCKED if name in failed else FileCondition.WAITING
        yield FileState(name, condition, why=failed.get(name, ""))
    for entry in left.deleted:
        why = failed.get(entry.name, "it is about to be deleted")
        yield FileState(entry.name, FileCondition.BLOCKED, why=why)
    for name, why in left.blocked.items():
        yield FileState(name, FileCondition.BLOCKED, why=why)
    for item in not_shared:
        yield FileState(item.name, FileCondition.NOT_SHARED, why=item.why)
    for name, local in known.items():
        if local.is_own_affair:
            why = "it was added, changed or deleted here, and the folder only receives"
            yield FileState(name, FileCondition.CHANGED_HERE, why=why)


def alike(known: Mapping[str, Local], left: Plan, claims: Claims) -> int:
    """How many of the others have said to have what is to be here, and nothing else."""
    to_be = {name: local.entry.content for name, local in known.items() if not local.is_own_affair}
    to_be |= {wanted.entry.name: wanted.entry.content for wanted in left.wanted}
    to_be |= {entry.name: None for entry in left.deleted}
    files = {name: content for name, content in to_be.items() if content is not None}
    return sum(
        files == {name: entry.content for name, entry in entries.items() if not entry.is_deleted}
        for entries in claims.values()
    )


def folder_view(
    about: FolderView, known: Mapping[str, Local], left: Plan, states: Iterable[FileState], alike: int
) -> FolderView:
    """A folder's view, with its files; `about` has all else."""
    here = {name for name, local in known.items() if not local.entry.is_deleted}
    wanted = {item.entry.name for item in left.wanted} | left.blocked.keys()
    leaving = {entry.name for entry in left.deleted}
    return FolderView(
        id=about.id,
        path=about.path,
        receive_only=about.receive_only,
        in_sync=len(here - wanted - leaving),
        files=len(here | wanted),
        conflicts=tuple(sorted(filter(is_conflict_copy, here)))[:MAX_SHOWN],
        not_in_sync=tuple(state for _, state in zip(range(MAX_SHOWN), states, strict=False)),
        scans_only=about.scans_only,
        refused=about.refused,
        bytes=sum(local.entry.content.size for local in known.values() if local.entry.content),
        alike=alike,
    )
