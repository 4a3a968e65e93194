"""CheckpointStore: the global model after each round, in files that a power cut cannot leave half-written.

    <folder>/<run id>/round-00005.safetensors                  the model and nothing else: for everybody
    <folder>/<run id>/round-00005-1a2b3c4d.state.safetensors   the strategy's own state, to go on from there

A checkpoint exists once its model file has its name; that comes last. The model file names the state that
belongs to it and the digests of both, so that writing one again leaves no moment without.
"""

from __future__ import annotations

import builtins
import json
import logging
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from flwr.app import Array, ArrayRecord
from numpy.typing import NDArray
from pydantic import BaseModel, Field, Json, ValidationError

from app.records import Round
from app.store import files
from app.store.tensors import (
    digest_of,
    plain,
    read_arrays,
    read_metadata,
    remove_unfinished,
    write_arrays,
)
from app.store.values import plain_values
from shared.errors import CheckpointInvalid

log = logging.getLogger(__name__)

DAMAGED = ".damaged"
"""Added to the name of a model's file that cannot be used."""

State = Mapping[str, NDArray[Any]]

_MODEL_FILE = re.compile(r"round-(\d+)\.safetensors")
_STATE_FILE = re.compile(r"(round-\d+)-[0-9a-f]{8}\.state\.safetensors")
_RUN_ID = re.compile(r"[0-9A-Za-z_-]+")


@dataclass(frozen=True)
class Checkpoint:
    """All that it takes to go on after `round`."""

    round: int
    arrays: ArrayRecord
    state: State


class About(BaseModel):
    """What a model's file says of itself. In the file all values are text."""

    fedloom: Literal["1"] = Field(description="version of this description")
    run: str
    round: int
    created: float = Field(allow_inf_nan=False)
    digest: str
    names: Json[list[str]] = Field(description="of the arrays, in the order in which the model has them")
    state: str = Field(default="", pattern=f"^({_STATE_FILE.pattern})?$")
    state_digest: str = ""


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint that is there. `bytes`: of the model's file; `created_at`: Unix seconds."""

    round: int
    bytes: int
    created_at: float
    best: bool


def best_round(rounds: Iterable[Round]) -> int | None:
    """The complete round with the highest accuracy, or without any the lowest loss; the first of equals."""
    complete = [round_ for round_ in rounds if round_.complete]
    by_accuracy = [(-round_.accuracy, round_.round) for round_ in complete if round_.accuracy is not None]
    by_loss = [(round_.loss, round_.round) for round_ in complete if round_.loss is not None]
    ranked = by_accuracy or by_loss
    return min(ranked)[1] if ranked else None


class CheckpointStore:
    """The checkpoints of all runs. One thread writes; any may look.

    Methods raise StoreUnavailable, in words, when the file system fails: a full disk, no right to write.
    """

    def __init__(self, folder: Path) -> None:
        """Make the folder, and remove what a write that was cut off has left; one server may have it."""
        self._root = folder
        with _in_words(folder):
            files.make_folder(folder)
            files.require_writable(folder)
            for of_run in folder.iterdir():
                if of_run.is_dir():
                    _remove_leftovers(of_run)

    def path(self, run_id: str, round: int) -> Path:
        """Where the model after a round is, if it was kept."""
        return self._folder(run_id) / f"round-{round:05d}.safetensors"

    def save(
        self,
        run_id: str,
        round: int,
        arrays: ArrayRecord,
        state: State,
        metadata: Mapping[str, str],
        digest: str | None = None,
    ) -> Path:
        """Keep the model after a round: when this returns, it is on the disk. Returns the model's file.

        `state`: the strategy's own; `metadata`: what else the file is to say of itself (model, data set);
        `digest`: the model's, if it is known.
        Raises CheckpointInvalid for arrays that safetensors cannot hold.
        """
        path = self.path(run_id, round)
        model = plain_values(arrays)
        about = {**metadata, "run": run_id, "round": str(round), "created": repr(time.time())}
        with _in_words(path.parent):
            files.make_folder(path.parent)
            about |= _save_state(path, state, about)
            about |= {"fedloom": "1", "digest": digest or digest_of(model), "names": json.dumps(list(arrays))}
            write_arrays(path, model, about)
            _remove_states(path, but=about.get("state"))
        return path

    def load(self, run_id: str, round: int) -> Checkpoint:
        """Raises CheckpointInvalid unless every byte is as it was written."""
        path = self.path(run_id, round)
        with _in_words(path):
            model, metadata = read_arrays(path)
            about = _about(path, metadata)
            if (about.run, about.round) != (run_id, round):
                raise CheckpointInvalid(
                    f"The checkpoint {path} is of another round: {about.round} of run {about.run}."
                )
            if digest_of(model) != about.digest or sorted(about.names) != sorted(model):
                raise CheckpointInvalid(f"The checkpoint {path} is damaged: its values have changed.")
            state = _load_state(path, about)
        # In the model's own order, by which some code goes; the file has another.
        return Checkpoint(round, ArrayRecord({name: Array(model.pop(name)) for name in about.names}), state)

    def newest(self, run_id: str) -> Checkpoint | None:
        """The newest checkpoint that is sound.

        One that is damaged is reported in the log and set aside, so that it does not count as one to keep.
        """
        for number in reversed(self._rounds(run_id)):
            try:
                return self.load(run_id, number)
            except CheckpointInvalid as error:
                path = self.path(run_id, number)
                log.error(
                    "%s It is set aside as %s%s, and the run can go on from the one before.",
                    error,
                    path.name,
                    DAMAGED,
                    extra={"run_id": run_id},
                )
                with _in_words(path):
                    path.replace(f"{path}{DAMAGED}")
        return None

    def list(self, run_id: str, best: int | None = None) -> builtins.list[CheckpointInfo]:
        """A run's checkpoints, oldest first, without those that are cut short. `best`: the best round."""
        found = []
        for number in self._rounds(run_id):
            path = self.path(run_id, number)
            try:
                with _in_words(path):
                    about = _about(path, read_metadata(path))
                    found.append(CheckpointInfo(number, path.stat().st_size, about.created, number == best))
            except CheckpointInvalid:
                continue
        return found

    def prune(self, run_id: str, keep_newest: int, best: int | None) -> None:
        """Delete all checkpoints of a run but the newest ones and that of the round `best`."""
        rounds = self._rounds(run_id)
        for number in rounds[:-keep_newest]:
            if number != best:
                path = self.path(run_id, number)
                with _in_words(path):
                    path.unlink(missing_ok=True)
                    _remove_states(path)

    def remove(self, run_id: str) -> None:
        """Delete all that is kept of a run."""
        folder = self._folder(run_id)
        with _in_words(folder), suppress(FileNotFoundError):
            shutil.rmtree(folder)

    def bytes_of(self, run_id: str) -> int:
        """What all files take that are kept of a run."""
        folder = self._folder(run_id)
        with _in_words(folder), suppress(FileNotFoundError):
            return sum(path.stat().st_size for path in folder.iterdir())
        return 0

    def _folder(self, run_id: str) -> Path:
        if not _RUN_ID.fullmatch(run_id):
            raise ValueError(f"{run_id!r} is not the id of a run")
        return self._root / run_id

    def _rounds(self, run_id: str) -> builtins.list[int]:
        """The rounds of which there is a checkpoint, in order."""
        folder = self._folder(run_id)
        with _in_words(folder):
            names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(match[1]) for name in names if (match := _MODEL_FILE.fullmatch(name)))


def _save_state(path: Path, state: State, about: Mapping[str, str]) -> dict[str, str]:
    """Write the strategy's state, if it has any, beside the model's file. Returns how that is to name it."""
    if not state:
        return {}
    values = {name: plain(value) for name, value in state.items()}
    digest = digest_of(values)
    beside = path.with_name(f"{path.stem}-{digest[:8]}.state.safetensors")
    write_arrays(beside, values, about)
    return {"state": beside.name, "state_digest": digest}


def _load_state(path: Path, about: About) -> State:
    if not about.state:
        return {}
    state, _ = read_arrays(path.with_name(about.state))
    if digest_of(state) != about.state_digest:
        raise CheckpointInvalid(f"The checkpoint {path} is damaged: the strategy's state has changed.")
    return state


def _about(path: Path, metadata: Mapping[str, str]) -> About:
    try:
        return About.model_validate(metadata)
    except ValidationError as error:
        wrong = ", ".join(str(item["loc"][0]) for item in error.errors())
        raise CheckpointInvalid(
            f"{path} is no checkpoint that this version of FedLoom can read (by its {wrong})."
        ) from error


def _remove_states(path: Path, but: str | None = None) -> None:
    """Remove the states that belonged to a model's file, all but the one that does."""
    for state in path.parent.iterdir():
        match = _STATE_FILE.fullmatch(state.name)
        if match and match[1] == path.stem and state.name != but:
            state.unlink(missing_ok=True)


def _remove_leftovers(folder: Path) -> None:
    """Remove what is not finished: files with a temporary name, and states without their model."""
    remove_unfinished(folder)
    for path in folder.iterdir():
        match = _STATE_FILE.fullmatch(path.name)
        if match and not path.with_name(f"{match[1]}.safetensors").exists():
            path.unlink(missing_ok=True)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise files.explain(error, path) from error
