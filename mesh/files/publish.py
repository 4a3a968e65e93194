"""Publish: how a program writes into a shared folder, such as a client the checkpoints of a model.

A file is whole and on the disk before it has its name, so that no scan reads half of it. Of what belongs
together, such as a model and its signature, the one may come to others before the other: whoever reads them
there looks whether they fit.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex

from mesh.files.names import OWN_FOLDER, require_safe
from mesh.files.tree import Tree


def publish(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write these, each in place of the one that may be there. Raises NameRefused, FolderUnusable and
    OSError: then those before are written, and the others are as they were.

    `SharedFolders.changed` has others get them at once.
    """
    for name in files:
        require_safe(name)
    with Tree(folder) as tree:
        for name, data in files.items():
            _write(tree, name, data)


def _write(tree: Tree, name: str, data: bytes) -> None:
    draft = f"{OWN_FOLDER}/drafts/{token_hex(8)}"
    try:
        with os.fdopen(tree.create(draft), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        tree.take(draft, name)
    except BaseException:
        tree.remove(draft)
        raise
