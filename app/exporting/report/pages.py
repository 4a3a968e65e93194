"""The two reports: of a run, and of several beside each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from app.exporting.files import ExportFile
from app.exporting.outcome import Outcome, accuracy_of, loss_of, outcome
from app.exporting.report import words
from app.exporting.report.beside import NOTHING, Beside
from app.exporting.report.charts import Chart, Point, Series, chart
from app.exporting.settings import differing, settings_of
from app.exporting.times import last_known
from app.records import ClientRound, Round, Run, Verdict
from shared.version import __version__

FOLDER = Path(__file__).parent


@dataclass
class ClientRow:
    """A client over all rounds of a run."""

    client_id: str
    rounds: int = 0
    samples: int | None = None
    accuracy: float | None = None
    loss: float | None = None
    epsilon: float | None = None
    late: int = 0
    lost: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)

    def add(self, part: ClientRound) -> None:
        """The newest value counts of what is known."""
        self.rounds += part.train_loss is not None or part.samples is not None
        self.samples = self.samples if part.samples is None else part.samples
        self.accuracy = self.accuracy if part.accuracy is None else part.accuracy
        self.loss = self.loss if part.loss is None else part.loss
        self.epsilon = self.epsilon if part.epsilon is None else part.epsilon
        self.late += part.late
        self.lost += part.lost


@dataclass(frozen=True)
class Compared:
    """A run of a comparison."""

    run: Run
    rounds: Sequence[Round]
    outcome: Outcome


def run_report(run: Run, rounds: Sequence[Round], beside: Beside = NOTHING) -> ExportFile:
    """`report.html`. The same run gives the same bytes: it does not say when it was written."""
    complete = [round_ for round_ in rounds if round_.complete]
    context = {
        "run": run,
        "title": title_of(run),
        "outcome": outcome(run, rounds, beside.received, last_known(run, rounds)),
        "settings": settings_of([run]),
        "charts": _charts([(title_of(run), complete)]),
        "rounds": complete,
        "clients": _clients(rounds, beside.verdicts),
        "verdicts": sum(beside.verdicts.values(), Counter[Verdict]()),
        "beside": beside,
    }
    return ExportFile("report.html", _html("run.html", context))


def comparison_report(compared: Sequence[Compared], baseline: str) -> ExportFile:
    """`comparison.html`. `baseline`: the id of that run from which the others differ by so much."""
    runs = [each.run for each in compared]
    context = {
        "title": f"Comparison of {len(runs)} runs",
        "compared": compared,
        "baseline": next(each for each in compared if each.run.id == baseline),
        "settings": differing(runs),
        "charts": _charts([(title_of(each.run), each.rounds) for each in compared]),
        "title_of": title_of,
    }
    return ExportFile("comparison.html", _html("comparison.html", context))


def title_of(run: Run) -> str:
    """A run's name with its id, since several may have the same."""
    return run.id if run.name is None else f"{run.name} ({run.id})"


def _charts(runs: Sequence[tuple[str, Sequence[Round]]]) -> list[Chart]:
    wanted = {
        "accuracy, %": lambda round_: None if (known := accuracy_of(round_)) is None else known * 100,
        "loss": loss_of,
        "ε spent": lambda round_: round_.epsilon,
    }
    drawn = (
        chart(title, [Series(name, _points(rounds, value)) for name, rounds in runs])
        for title, value in wanted.items()
    )
    return [each for each in drawn if each is not None]


def _points(rounds: Sequence[Round], value_of: Callable[[Round], float | None]) -> list[Point]:
    return [(round_.round, value) for round_ in rounds if (value := value_of(round_)) is not None]


def _clients(rounds: Sequence[Round], verdicts: Mapping[str, Counter[Verdict]]) -> list[ClientRow]:
    found: dict[str, ClientRow] = {}
    for round_ in rounds:
        for client_id, part in round_.per_client.items():
            found.setdefault(client_id, ClientRow(client_id)).add(part)
    for client_id, counts in verdicts.items():
        found.setdefault(client_id, ClientRow(client_id)).verdicts = counts
    return [row for _, row in sorted(found.items())]


def _html(name: str, context: Mapping[str, object]) -> Iterator[bytes]:
    """A template's text; every value in it is escaped, whoever has written it."""
    for piece in _template(name).generate(context):
        yield piece.encode()


def _template(name: str) -> Template:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for filter_ in (
        words.percent,
        words.number,
        words.points,
        words.duration,
        words.size,
        words.time,
        words.value,
    ):
        environment.filters[filter_.__name__] = filter_
    environment.globals["version"] = __version__
    return environment.get_template(name)
