"""A report is one page of HTML that holds all that is known, and nothing that a name could smuggle in."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from app.exporting.outcome import outcome
from app.exporting.report.beside import Beside
from app.exporting.report.charts import HEIGHT, MOST_POINTS, Series, chart, ticks
from app.exporting.report.pages import Compared, comparison_report, run_report
from app.records import ClientRound, LogEntry, Round, Run, Verdict
from app.store.reader import PastEvent
from tests.support.exports import a_finished_run, a_run_of_an_app
from tests.support.records import a_run

HOSTILE = "\"'><script src=//evil.example>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}"
LOADS = {"script", "link", "img", "iframe", "object", "embed", "image", "use", "foreignobject", "base"}


class Elements(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def report(run: Run, rounds: list[Round], beside: Beside | None = None) -> str:
    file = run_report(run, rounds, beside or Beside())
    return b"".join(file.content).decode()


def harmless(text: str) -> bool:
    page = Elements(text)
    return not page.tags & LOADS and not {"src", "href", "onerror", "xlink:href"} & page.attributes


def test_a_report_tells_settings_rounds_clients_events_and_verdicts() -> None:
    run, rounds = a_finished_run()
    beside = Beside(
        received=1_640_000,
        verdicts={"client-1": Counter({Verdict.ACCEPTED: 3, Verdict.BAD_SIGNATURE: 1})},
        events=[
            PastEvent(seq=1, time=1.0, type="run_update", subject="a", run_id="a", data={"state": "stopped"})
        ],
        logs=[LogEntry(seq=2, time=2.0, level="warning", source="server", logger="x", message="it is late")],
    )

    text = report(run, rounds, beside)

    for part in (
        "local_epochs",
        "75.0 % in round 2",
        "client-2",
        "3 accepted, 1 bad signature",
        "1.6 MB",
        "it is late",
        "1970-01-01 00:00:01 UTC",
        "<path",
    ):
        assert part in text
    assert harmless(text)


def test_the_same_run_gives_the_same_bytes() -> None:
    assert report(*a_finished_run()) == report(*a_finished_run())


def test_whatever_stands_in_names_is_text() -> None:
    run, rounds = a_finished_run()
    run = run.changed(name=HOSTILE, tags=(HOSTILE,), notes=HOSTILE, reason=HOSTILE, error=HOSTILE)
    rounds = [
        each.model_copy(update={"per_client": dict.fromkeys([HOSTILE], ClientRound())}) for each in rounds
    ]
    beside = Beside(
        verdicts={HOSTILE: Counter({Verdict.LATE: 1})},
        events=[
            PastEvent(
                seq=1, time=1.0, type="x", subject="a", run_id="a", data={"state": HOSTILE, "reason": HOSTILE}
            )
        ],
        logs=[LogEntry(seq=2, time=2.0, level="error", source=HOSTILE, logger="x", message=HOSTILE)],
    )

    text = report(run, rounds, beside)
    compared = comparison_report([_compared(run, rounds), _compared(a_run("b"), [])], run.id)
    both = b"".join(compared.content).decode()

    for page in (text, both):
        assert harmless(page)
        assert "&lt;script" in page
        assert "{{ 7*7 }}" in page


@pytest.mark.parametrize("made", [a_run_of_an_app, lambda: (a_run("new"), [])])
def test_a_run_with_little_to_tell_has_a_report_too(made) -> None:  # type: ignore[no-untyped-def]
    assert "<h2>Settings</h2>" in report(*made())


def test_a_comparison_names_only_settings_that_differ_and_the_difference_to_the_baseline() -> None:
    run, rounds = a_finished_run()
    other = run.changed(id="other", spec=run.spec.with_changes(lr=0.5), name="faster")
    worse = [each.model_copy(update={"accuracy": 0.5}) for each in rounds]

    file = comparison_report([_compared(run, rounds), _compared(other, worse)], run.id)
    text = b"".join(file.content).decode()

    assert file.path == "comparison.html"
    assert "<th>lr</th><td>0.05</td><td>0.5</td>" in text
    assert "batch_size" not in text
    assert "-25.0" in text
    assert "faster (other)" in text


def _compared(run: Run, rounds: list[Round]) -> Compared:
    return Compared(run, rounds, outcome(run, rounds, None, 0.0))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.97, 0.983), (5, 5), (0, 0), (-3, 1e9), (1e-9, 2e-9)])
def test_ticks_are_few_and_enclose_all_values(low: float, high: float) -> None:
    found = ticks(low, high)

    assert found[0] <= low + 1e-12
    assert found[-1] >= high - 1e-12
    assert 2 <= len(found) <= 8


def test_names_at_the_ends_of_lines_stand_apart_within_the_drawing() -> None:
    drawn = chart("x", [Series(str(number), [(0, 1.0), (1, 1.0)]) for number in range(12)])

    assert drawn is not None
    places = sorted(line.label_y for line in drawn.lines)
    assert all(below - above >= 12.9 for above, below in pairwise(places))
    assert 0 <= places[0] <= places[-1] <= HEIGHT


def test_a_line_of_very_many_points_is_thinned_and_ends_where_it_ends() -> None:
    drawn = chart("x", [Series("long", [(number, float(number)) for number in range(10_001)])])

    assert drawn is not None
    (line,) = drawn.lines
    assert line.path.count("L") < MOST_POINTS
    assert line.path.endswith("570.0 8.0")
