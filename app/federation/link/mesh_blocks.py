"""MeshBlocks: the keys for which the server does not vouch in the mesh, whoever else they are to it."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from app.records import MeshBlock
from shared.errors import FedLoomError
from shared.security.files import NotOwn, read_own, write_whole

BLOCKED = "mesh-blocked.json"
"""The file, in the server's folder."""

MAX_BLOCKS = 10_000
MAX_FILE_BYTES = 8 << 20

_LIST = TypeAdapter(list[MeshBlock])


class BlocksUnusable(FedLoomError):
    """The list cannot be read or written. The server does not guess whom it has."""


class BlockRefused(FedLoomError):
    """There is nothing to block, or to take back."""


class MeshBlocks:
    """Of one server. Safe from any thread. What is decided is on the disk before it counts."""

    def __init__(self, file: Path | None) -> None:
        """`file`: None: it is not kept. Raises BlocksUnusable."""
        self._file = file
        self._turn = threading.Lock()
        self._blocks = {} if file is None else {block.key: block for block in _kept(file)}

    def all(self) -> Sequence[MeshBlock]:
        """The newest first."""
        return sorted(self._blocks.copy().values(), key=lambda block: block.time, reverse=True)

    def has(self, key: str) -> bool:
        """Whether the server does not vouch for it."""
        return key in self._blocks

    def add(self, block: MeshBlock) -> None:
        """Raises BlockRefused for a key that is blocked already, and BlocksUnusable."""
        with self._turn:
            if block.key in self._blocks:
                raise BlockRefused(f"{block.client} is blocked in the mesh already.")
            if len(self._blocks) >= MAX_BLOCKS:
                raise BlockRefused(f"{MAX_BLOCKS:,} keys are blocked already. Take some back.")
            self._keep({**self._blocks, block.key: block})

    def remove(self, key: str) -> MeshBlock:
        """The block that was taken back. Raises BlockRefused for a key that is not blocked, and
        BlocksUnusable."""
        with self._turn:
            block = self._blocks.get(key)
            if block is None:
                raise BlockRefused("This key is not blocked in the mesh by the server.")
            self._keep({other: kept for other, kept in self._blocks.items() if other != key})
            return block

    def _keep(self, blocks: dict[str, MeshBlock]) -> None:
        if self._file is not None:
            try:
                write_whole(self._file, _LIST.dump_json(list(blocks.values())))
            except OSError as error:
                raise BlocksUnusable(
                    f"Nothing was changed: {self._file} cannot be written ({error.strerror or error})."
                ) from error
        self._blocks = blocks


def _kept(file: Path) -> list[MeshBlock]:
    try:
        return _LIST.validate_python(json.loads(read_own(file, MAX_FILE_BYTES)), strict=False)
    except FileNotFoundError:
        return []
    except (OSError, NotOwn, ValueError, ValidationError) as error:
        raise BlocksUnusable(
            f"The list of those who are blocked in the mesh, {file}, cannot be read: {error}. Mend it; to "
            "vouch for all clients again, remove it."
        ) from error
