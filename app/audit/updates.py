"""UpdateFiles: the updates of a run as they came, and the model that it began with, to recompute it from.

    <folder>/<run id>/<digest>.update              a client's reply: how long its arrays are, then its bytes
    <folder>/<run id>/<digest>.model.safetensors   the global model that the run began with

The names say what must be in the files. Nothing is ever deleted here.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from flwr.app import Array, ArrayRecord, Message

from app.store import files
from app.store.tensors import read_arrays, write_arrays
from app.store.values import model_digest, plain_values
from shared.buffers import Buffer, MemoryBuffer
from shared.canonical import NotCanonical, canonical, from_canonical
from shared.errors import CheckpointInvalid, FedLoomError, WireError
from shared.flower import decode
from shared.payload import Payload
from shared.security.digest import RunningDigests

UPDATES = "updates"
"""The folder in a server's own."""

PIECE = 1 << 20
LONGEST_HEADER = 1 << 21
"""Bytes of the first line of an update's file: 100,000 arrays take less."""


class UpdateMissing(FedLoomError):
    """A file that was to be kept is not there, or is not what was kept."""


def digest_of(payload: Payload) -> str:
    """The digest, in hex, by which the log and the files know a reply: of both hashes that its client has
    signed. They are computed if nobody has done so yet."""
    digests = payload.digests
    if digests is None:
        running = RunningDigests(len(payload.buffer) - sum(payload.array_bytes))
        for piece in _pieces(payload.buffer):
            running.update(piece)
        digests = running.digests()
    return digests.combined.hex()


class UpdateFiles:
    """Those of all runs of one server."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(self, run_id: str, digest: str, payload: Payload) -> None:
        """Keep a reply: when this returns, it is on the disk. Raises StoreUnavailable."""
        path = self._path(run_id, f"{digest}.update")
        try:
            if path.exists():
                return
            files.make_folder(path.parent)
            descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
            draft = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(canonical(list(payload.array_bytes)) + b"\n")
                    file.writelines(_pieces(payload.buffer))
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
            except BaseException:
                draft.unlink(missing_ok=True)
                raise
            files.sync_folder(path.parent)
        except OSError as error:
            raise files.explain(error, path) from error

    def keep_model(self, run_id: str, digest: str, arrays: ArrayRecord) -> None:
        """Keep the model that a run begins with. Raises StoreUnavailable."""
        path = self._path(run_id, f"{digest}.model.safetensors")
        try:
            if not path.exists():
                files.make_folder(path.parent)
                write_arrays(path, plain_values(arrays), {"names": json.dumps(list(arrays))})
        except OSError as error:
            raise files.explain(error, path) from error

    def update(self, run_id: str, digest: str) -> Message:
        """A reply that was kept. Raises UpdateMissing unless it is the one with this digest."""
        path = self._path(run_id, f"{digest}.update")
        try:
            with path.open("rb") as file:
                lengths = from_canonical(file.readline(LONGEST_HEADER).removesuffix(b"\n"))
                buffer = MemoryBuffer()
                while piece := file.read(PIECE):
                    buffer.add(piece)
        except (OSError, NotCanonical) as error:
            raise UpdateMissing(f"The update {path} cannot be read: {error}.") from error
        with Payload(buffer, lengths if _are_lengths(lengths, len(buffer)) else ()) as payload:
            if digest_of(payload) != digest:
                raise UpdateMissing(f"The update {path} is not the one that came: its bytes have changed.")
            try:
                return decode(payload)
            except WireError as error:
                raise UpdateMissing(f"The update {path} cannot be read: {error}") from error

    def model(self, run_id: str, digest: str) -> ArrayRecord | None:
        """A global model that was kept; None: it was not. Raises UpdateMissing for another in its place."""
        path = self._path(run_id, f"{digest}.model.safetensors")
        if not path.exists():
            return None
        try:
            values, metadata = read_arrays(path)
            arrays = ArrayRecord({name: Array(values[name]) for name in json.loads(metadata["names"])})
        except (CheckpointInvalid, OSError, ValueError, KeyError, TypeError) as error:
            raise UpdateMissing(f"The model {path} cannot be read: {error}.") from error
        if model_digest(arrays) != digest:
            raise UpdateMissing(f"The model {path} is not the one that was kept: its values have changed.")
        return arrays

    def _path(self, run_id: str, name: str) -> Path:
        if not run_id.isalnum():
            raise UpdateMissing(f"{run_id!r} is not the id of a run.")
        return self._root / run_id / name


def _pieces(buffer: Buffer) -> Iterator[memoryview]:
    for start in range(0, len(buffer), PIECE):
        yield from buffer.pieces(start, PIECE)


def _are_lengths(value: object, total: int) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in value)
        and sum(value) <= total
    )
