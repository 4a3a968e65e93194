"""Runs in MLflow, over its REST API 2.0 (https://mlflow.org/docs/latest/api_reference/rest-api.html).

A run is found again by its tag `fedloom.run`, and how far it is by its metric `round`. Name and password or
token are read from the environment under MLflow's own names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx

from app.exporting import event_files
from app.exporting.http import client_for
from app.exporting.settings import settings_of
from app.exporting.times import ended_at, last_known
from app.records import Round, Run, RunState
from app.trackers.tracker import TrackerFailed

TIMEOUT_S = 20.0

MOST_METRICS = 1_000
MOST_PARAMS = 100
LONGEST_PARAM = 500
LONGEST_NAME = 250
"""What MLflow takes in one request, or in one value."""

EXPERIMENT = "FedLoom"
RUN_TAG = "fedloom.run"
ROUND = "round"

_STATUS = {
    RunState.COMPLETED: "FINISHED",
    RunState.FAILED: "FAILED",
    RunState.STOPPED: "KILLED",
    RunState.INTERRUPTED: "KILLED",
}

Json = dict[str, Any]


class Mlflow:
    """As Tracker has it."""

    def __init__(self, url: str, environ: Mapping[str, str] = os.environ) -> None:
        """Raises SettingsInvalid."""
        token = environ.get("MLFLOW_TRACKING_TOKEN")
        name = environ.get("MLFLOW_TRACKING_USERNAME")
        self._experiment_name = environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
        self._http = client_for(
            url,
            base_url=f"{url}/api/2.0/mlflow/",
            timeout=TIMEOUT_S,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            auth=(name, environ.get("MLFLOW_TRACKING_PASSWORD", "")) if name and not token else None,
        )
        self._experiment: str | None = None
        self._ids: dict[str, str] = {}
        """MLflow's ids of runs, by ours."""

    def rounds_there(self, run: Run) -> int:
        """The value of its metric `round`."""
        found = self._find(run)
        if found is None:
            return -1
        self._ask("POST", "runs/update", run_id=found["info"]["run_id"], status="RUNNING")
        self._take_up(run, found["info"]["run_id"])
        metrics = found["data"].get("metrics", [])
        return int(max((each["value"] for each in metrics if each["key"] == ROUND), default=-1))

    def write(self, run: Run, rounds: Sequence[Round]) -> None:
        """A round's number comes after all that belongs to it."""
        run_id = self._id_of(run)
        for round_ in rounds:
            metrics = list(_metrics(run, round_))
            for begin in range(0, len(metrics), MOST_METRICS):
                self._ask(
                    "POST", "runs/log-batch", run_id=run_id, metrics=metrics[begin : begin + MOST_METRICS]
                )

    def end(self, run: Run) -> None:
        """Its state, and the reason as a tag."""
        run_id = self._id_of(run)
        tags = {"fedloom.state": run.state.value, "fedloom.reason": run.reason or ""}
        self._ask("POST", "runs/log-batch", run_id=run_id, tags=_tags(tags))
        ended = _milliseconds(last_known(run, ()))
        self._ask("POST", "runs/update", run_id=run_id, status=_STATUS[run.state], end_time=ended)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _id_of(self, run: Run) -> str:
        """MLflow's id of a run, which is made with its settings if it is not there."""
        if run.id not in self._ids:
            made = self._ask(
                "POST",
                "runs/create",
                experiment_id=self._experiment_id(),
                run_name=run.name or run.id,
                start_time=_milliseconds(run.started_at or run.created_at),
                tags=_tags({RUN_TAG: run.id, "mlflow.source.name": "FedLoom"}),
            )
            self._take_up(run, made["run"]["info"]["run_id"])
        return self._ids[run.id]

    def _take_up(self, run: Run, run_id: str) -> None:
        """Write the settings, also of a run that was found: it may lack them. The same again is no error."""
        params = [
            {"key": _name(each.name), "value": str(each.values[0])[:LONGEST_PARAM]}
            for each in settings_of([run])
            if each.values[0] is not None
        ]
        for begin in range(0, len(params), MOST_PARAMS):
            self._ask("POST", "runs/log-batch", run_id=run_id, params=params[begin : begin + MOST_PARAMS])
        self._ids[run.id] = run_id

    def _find(self, run: Run) -> Json | None:
        answer = self._ask(
            "POST",
            "runs/search",
            experiment_ids=[self._experiment_id()],
            filter=f"tags.`{RUN_TAG}` = '{run.id}'",
            max_results=1,
        )
        return next(iter(answer.get("runs", [])), None)

    def _experiment_id(self) -> str:
        if self._experiment is None:
            name = self._experiment_name
            found = self._ask("GET", "experiments/get-by-name", absent_is_empty=True, experiment_name=name)
            if found:
                self._experiment = str(found["experiment"]["experiment_id"])
            else:
                self._experiment = str(self._ask("POST", "experiments/create", name=name)["experiment_id"])
        return self._experiment

    def _ask(self, method: str, path: str, *, absent_is_empty: bool = False, **fields: Any) -> Json:
        """The answer. Raises TrackerFailed."""
        try:
            sent: Json = {"params": fields} if method == "GET" else {"json": fields}
            response = self._http.request(method, path, **sent)
            answer = response.json() if response.content else {}
        except httpx.HTTPError as error:
            raise TrackerFailed(f"{type(error).__name__}: {error}") from error
        except ValueError as error:
            raise TrackerFailed(
                f"{path} answered {response.status_code}, not in JSON: is this an MLflow server?"
            ) from error
        if not isinstance(answer, dict):
            raise TrackerFailed(f"{path} answered what MLflow does not: is this an MLflow server?")
        if absent_is_empty and answer.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
            return {}
        if not response.is_success:
            raise TrackerFailed(f"{path} answered {response.status_code}: {answer.get('message', '')}")
        return answer


def _metrics(run: Run, round_: Round) -> Iterator[Json]:
    at = _milliseconds(ended_at(round_) or round_.started_at)
    for folder, point in event_files.points_of(run, round_).items():
        before = "" if folder == event_files.GLOBAL else f"{folder}/"
        for tag, value in point.scalars.items():
            if value is not None:
                yield {"key": _name(before + tag), "value": value, "timestamp": at, "step": round_.round}
    yield {"key": ROUND, "value": round_.round, "timestamp": at, "step": round_.round}


def _name(text: str) -> str:
    """With the letters that MLflow takes in names."""
    return re.sub(r"[^\w./ -]", "_", text, flags=re.ASCII)[:LONGEST_NAME]


def _tags(tags: Mapping[str, str]) -> list[Json]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
