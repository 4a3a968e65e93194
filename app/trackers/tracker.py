"""What a tracker is, and which there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from app.records import Round, Run
from shared.errors import SettingsInvalid

Kind = Literal["tensorboard", "mlflow"]


class TrackerFailed(Exception):
    """It cannot be written now; it is tried again. Says why, for people."""


class Tracker(Protocol):
    """Where runs are written to. One thread calls it."""

    def rounds_there(self, run: Run) -> int:
        """The number of the newest round that it has of a run; -1: none. Raises TrackerFailed."""

    def write(self, run: Run, rounds: Sequence[Round]) -> None:
        """Add complete rounds, in order, all newer than those it has. Raises TrackerFailed; then some of them
        may be there."""

    def end(self, run: Run) -> None:
        """The run has ended as it is now. Raises TrackerFailed."""

    def close(self) -> None:
        """Nothing follows."""


@dataclass(frozen=True)
class TrackerSettings:
    """What `--track` names: a kind, and its folder or address."""

    kind: Kind
    where: str

    @classmethod
    def parse(cls, text: str) -> TrackerSettings:
        """`tensorboard:DIR` or `mlflow:URL`. Raises SettingsInvalid."""
        kind, _, where = text.partition(":")
        if kind == "tensorboard" and where:
            return cls("tensorboard", where)
        if kind == "mlflow" and where:
            parts = urlsplit(where)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise SettingsInvalid(
                    f"{text!r}: MLflow is written over its REST API; give the address of its server, for "
                    "example mlflow:http://localhost:8080"
                )
            if parts.username is not None or parts.password is not None:
                raise SettingsInvalid(
                    "a name or password in MLflow's address would stand in logs: set "
                    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
                )
            return cls("mlflow", where.rstrip("/"))
        raise SettingsInvalid(f"{text!r} is neither tensorboard:DIR nor mlflow:URL")
