"""Old versions of files: where they are put, and which of them are removed again."""

from __future__ import annotations

import os
import re
import stat
from collections import defaultdict
from itertools import count

from mesh.files.names import OWN_FOLDER, kept_name, stamp
from mesh.files.tree import Tree

VERSIONS = f"{OWN_FOLDER}/versions"
_KEPT = re.compile(
    r"(?P<stem>.*)~(?P<stamp>\d{8}-\d{6}-\d{6})(?:-(?P<number>\d+))?(?P<suffix>\.[^~]*)?", re.DOTALL
)
_DAY_NS = 86_400 * 1_000_000_000


def place_for(tree: Tree, name: str, now_ns: int) -> str:
    """Where a version is put that is old from now on; nothing is there."""
    places = (f"{VERSIONS}/{kept_name(name, now_ns, number)}" for number in count(1))
    return next(place for place in places if tree.status(place) is None)


def prune(tree: Tree, keep: int, days: int, now_ns: int) -> None:
    """Remove old versions: of each file, all but the newest `keep`, and those older than `days`. Raises
    OSError."""
    oldest = stamp(now_ns - days * _DAY_NS)
    waiting = [VERSIONS]
    while waiting:
        folder = waiting.pop()
        versions: dict[str, list[tuple[str, int, str]]] = defaultdict(list)
        for last, is_folder in _items(tree, folder):
            if is_folder:
                waiting.append(f"{folder}/{last}")
            elif match := _KEPT.fullmatch(last):
                when, number = match["stamp"], int(match["number"] or 1)
                versions[match["stem"] + (match["suffix"] or "")].append((when, number, last))
        for kept in versions.values():
            kept.sort(reverse=True)
            for place, (when, _, last) in enumerate(kept):
                if place >= keep or when < oldest:
                    tree.remove(f"{folder}/{last}")
                    tree.remove_empty_folders(f"{folder}/{last}")


def _items(tree: Tree, folder: str) -> list[tuple[str, bool]]:
    """What lies in a folder, and whether it is a folder itself."""
    if (status := tree.status(folder)) is None or not stat.S_ISDIR(status.st_mode):
        return []
    with tree.folder(folder) as descriptor, os.scandir(descriptor) as items:
        return [(item.name, item.is_dir(follow_symlinks=False)) for item in items]
