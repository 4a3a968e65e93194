"""A run as two tables in CSV (RFC 4180, UTF-8): a line for each round, and one for each client in each round.

Columns have the names of the records' fields; a value that there is not is empty. Beside each time in Unix
seconds stands the same in ISO 8601, UTC. The confusion matrix is in the JSON document only. The numbers of
another Flower app have a column for each stage and name: `metrics.evaluate.auc` of a round,
`stages.evaluate.auc` of a client, whose `metrics.auc` is the newest of that name in whatever stage.

Text from clients that a spreadsheet would take for a formula gets an apostrophe in front, as spreadsheets
themselves mark text (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO

from app.exporting.files import ExportFile
from app.exporting.times import ended_at, iso
from app.records import ClientRound, Round, Run

Value = bool | int | float | str | None

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ROUND_FIELDS = tuple(
    name
    for name in Round.model_fields
    if name not in {"class_accuracy", "confusion", "metrics", "per_client"}
)
CLIENT_FIELDS = tuple(name for name in ClientRound.model_fields if name not in {"metrics", "stages"})


def tables(run: Run, rounds: Sequence[Round]) -> Iterator[ExportFile]:
    """`rounds.csv` and `clients.csv`."""
    yield ExportFile("rounds.csv", _csv(_round_lines(run, rounds)))
    yield ExportFile("clients.csv", _csv(_client_lines(run, rounds)))


def _round_lines(run: Run, rounds: Sequence[Round]) -> Iterator[list[Value]]:
    classes = _class_names(run, rounds)
    staged = _staged(round_.metrics for round_ in rounds)
    yield [
        "run_id",
        *ROUND_FIELDS,
        "started_at_utc",
        "ended_at",
        "ended_at_utc",
        *(f"class_accuracy.{name}" for name in classes),
        *(f"metrics.{stage}.{name}" for stage, name in staged),
    ]
    for round_ in rounds:
        end = ended_at(round_)
        yield [
            run.id,
            *(getattr(round_, name) for name in ROUND_FIELDS),
            iso(round_.started_at),
            end,
            iso(end),
            *(round_.class_accuracy or (None,) * len(classes)),
            *(round_.metrics.get(stage, {}).get(name) for stage, name in staged),
        ]


def _client_lines(run: Run, rounds: Sequence[Round]) -> Iterator[list[Value]]:
    parts = [mine for round_ in rounds for mine in round_.per_client.values()]
    metrics = sorted({name for mine in parts for name in mine.metrics})
    staged = _staged(mine.stages for mine in parts)
    yield [
        "run_id",
        "round",
        "client",
        *CLIENT_FIELDS,
        *(f"metrics.{name}" for name in metrics),
        *(f"stages.{stage}.{name}" for stage, name in staged),
    ]
    for round_ in rounds:
        for client_id, mine in sorted(round_.per_client.items()):
            yield [
                run.id,
                round_.round,
                client_id,
                *(getattr(mine, name) for name in CLIENT_FIELDS),
                *(mine.metrics.get(name) for name in metrics),
                *(mine.stages.get(stage, {}).get(name) for stage, name in staged),
            ]


def _staged(results: Iterable[Mapping[str, Mapping[str, float]]]) -> list[tuple[str, str]]:
    """All pairs of a stage and a name that there are, sorted."""
    return sorted(
        {(stage, name) for stages in results for stage, numbers in stages.items() for name in numbers}
    )


def _class_names(run: Run, rounds: Sequence[Round]) -> Sequence[str]:
    """The names of the run's classes; where it has none, their numbers."""
    count = max((len(round_.class_accuracy or ()) for round_ in rounds), default=0)
    return run.classes if len(run.classes) == count else tuple(map(str, range(count)))


def _csv(lines: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    for line in lines:
        text = StringIO()
        csv.writer(text).writerow(map(_cell, line))  # its default dialect is RFC 4180's
        yield text.getvalue().encode()


def _cell(value: Value) -> Value:
    match value:
        case bool():
            return "true" if value else "false"
        case str() if value.startswith(FORMULA_STARTS):
            return f"'{value}"
        case _:
            return value
