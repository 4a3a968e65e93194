"""Recomputes the global models of which an audit log tells, from the updates that were kept.

Each update is the one whose digest the log has, and goes into the strategy in the order that the log has.
What comes out must have the log's digest, bit by bit.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from flwr.app import ArrayRecord

from app.audit.entry import Kind
from app.audit.updates import UpdateFiles, UpdateMissing
from app.audit.verify import entries_of
from app.federation.strategies import RoundStrategy, build_strategy
from app.federation.strategies.base import State, Update
from app.federation.strategies.central_dp import FixedClipping
from app.store.values import model_digest
from shared.errors import FedLoomError
from shared.flower import identify_server_task
from shared.run_spec import RunSpec


class ReplayFailed(FedLoomError):
    """What the log says of a model is not what its updates come to."""


@dataclass(frozen=True)
class _Model:
    """A global model that was recomputed, and the strategy's own state with it."""

    arrays: ArrayRecord
    state: State


@dataclass
class _Replayed:
    """A run, as far as it has been recomputed."""

    spec: RunSpec
    objection: str | None
    """Why it cannot be recomputed, in words."""
    models: dict[tuple[int, str], _Model] = field(default_factory=dict)
    """By round and digest: as many rounds as the run could have gone back to, from a checkpoint."""
    ended: str | None = None
    """From where on it cannot be recomputed, in words: with what is not kept."""
    done: int = 0
    left_out: int = 0


def replay(file: IO[bytes], updates: Path) -> Iterator[str]:
    """Recompute all that can be, from a file that was verified; yields what was found, in words.

    Raises ReplayFailed for a model that comes out otherwise, UpdateMissing for an update that was to be kept.
    """
    logging.getLogger("flwr").setLevel(logging.WARNING)  # which tells of each round as if it were news
    files = UpdateFiles(updates)
    runs: dict[str, _Replayed] = {}
    for entry in entries_of(file):
        match entry.kind:
            case Kind.RUN_QUEUED:
                spec = RunSpec.from_store(entry.fields["spec"])
                runs[entry.fields["run"]] = _Replayed(spec, _objection(spec))
            case Kind.AGGREGATED if (run := runs.get(entry.fields["run"])) is not None:
                if run.objection is None and run.ended is None and entry.fields["kept"]:
                    _recompute(run, entry.fields, files)
                else:
                    run.left_out += 1
            case Kind.MERGED if (run := runs.get(entry.fields["run"])) is not None and run.objection is None:
                run.ended = f"round {entry.fields['round']}, which clients have learned without the server"
    for run_id, run in runs.items():
        yield _words(run_id, run)


def _objection(spec: RunSpec) -> str | None:
    if spec.app is not None:
        return f"the strategy of the Flower app {spec.app} is its own, and the log has no models of it"
    if spec.secure_aggregation is not None:
        return "its updates were masked, and only their sum was ever known to the server"
    strategy = build_strategy(spec)
    if isinstance(strategy, FixedClipping) and strategy.multiplier(spec.min_clients) > 0:
        return "the noise that protects its clients comes from a secret that never leaves the server"
    if not spec.keep_updates:
        return "its updates were not kept (--keep-updates)"
    return None


def _recompute(run: _Replayed, fields: Mapping[str, Any], files: UpdateFiles) -> None:
    run_id, number = str(fields["run"]), int(fields["round"])
    identify_server_task(int(run_id, 16))
    before = _before(run, run_id, number, str(fields["before"]), files)
    strategy = build_strategy(run.spec)
    if before.state:
        strategy.load_state(before.state)
    arrays = _fold(strategy, number, before.arrays, fields, files)
    if (found := model_digest(arrays)) != fields["after"]:
        raise ReplayFailed(
            f"Round {number} of run {run_id}: the updates in the log come to the model {found}, and the log "
            f"has {fields['after']}. The server has made the model of something else, or this machine "
            "computes otherwise: try it on one like the server's."
        )
    run.models[number, found] = _Model(arrays, strategy.state())
    for key in [key for key in run.models if key[0] < number - run.spec.keep_checkpoints - 1]:
        del run.models[key]
    run.done += 1


def _before(run: _Replayed, run_id: str, number: int, digest: str, files: UpdateFiles) -> _Model:
    """The model that a round began with: recomputed, or the initial one, which was kept."""
    known = run.models.get((number - 1, digest))
    if known is not None:
        return known
    arrays = files.model(run_id, digest) if number == 1 else None
    if arrays is None:
        raise UpdateMissing(
            f"Round {number} of run {run_id} begins with the model {digest}, which was neither recomputed "
            "nor kept."
        )
    return _Model(arrays, {})


def _fold(
    strategy: RoundStrategy, number: int, sent: ArrayRecord, fields: Mapping[str, Any], files: UpdateFiles
) -> ArrayRecord:
    fold = strategy.begin(number, sent)
    for each in fields["updates"]:
        update = Update.from_reply(files.update(str(fields["run"]), str(each["digest"])))
        if update.metrics.num_examples != each["samples"]:
            raise ReplayFailed(
                f"Round {number} of run {fields['run']}: the update {each['digest']} says that it is of "
                f"{update.metrics.num_examples} samples, and the log has {each['samples']}."
            )
        fold.add(update)
    return fold.finish()


def _words(run_id: str, run: _Replayed) -> str:
    if run.objection is not None:
        return f"run {run_id}: not recomputed: {run.objection}."
    left_out = f" {run.left_out} were not kept." if run.left_out else ""
    if run.ended is not None:
        left_out = f" Nothing was recomputed from {run.ended}."
    return f"run {run_id}: {run.done} models recomputed from their updates, bit for bit the same.{left_out}"
