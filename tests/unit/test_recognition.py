"""Which messages of an app make one round, and how its rounds are numbered: a line for each shape of app."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.federation.rounds.recognition import AppRounds
from app.federation.rounds.results import ClientResult
from app.federation.rounds.seen import MAX_STAGES, Asked, Place

ALL = ("a", "b")
GOOD = ClientResult()


def asked(message_type: str, number: int | None, *client_ids: str, name: str | None = None) -> list[Asked]:
    return [Asked(client_id, message_type, number, name) for client_id in client_ids]


def answer(places: Sequence[Place], batch: Sequence[Asked], result: ClientResult | None = GOOD) -> None:
    for place, message in zip(places, batch, strict=True):
        place.stage.answer(message.client_id, result)


class App:
    """Sends batches as an app does, each after the replies to the one before, and notes what is seen."""

    def __init__(self) -> None:
        self.rounds = AppRounds()
        self.seen: list[str] = []

    def ask(
        self,
        message_type: str,
        number: int | None = None,
        *client_ids: str,
        name: str | None = None,
        result: ClientResult | None = GOOD,
    ) -> list[Place]:
        batch = asked(message_type, number, *(client_ids or ALL), name=name)
        places = self.rounds.sent(batch)
        answer(places, batch, result)
        shown = [f"{place.round.round} {place.stage.name}" for place in places]
        self.seen += list(dict.fromkeys(shown))
        return places

    def play(self, script: str) -> list[str]:
        """Batches such as "train(1)" or "query"; "score(1)": the ServerApp evaluates."""
        for step in script.split():
            message_type, _, number = step.rstrip(")").partition("(")
            value = int(number) if number else None
            if message_type == "score":
                round_ = self.rounds.evaluated(value)
                self.seen.append(f"{round_.round if round_ else '-'} score")
            else:
                self.ask(message_type, value)
        return self.seen


SHAPES = {
    "numbered from 1": (
        "train(1) evaluate(1) train(2) evaluate(2)",
        "1 train, 1 evaluate, 2 train, 2 evaluate",
    ),
    "numbered from 0": (
        "train(0) evaluate(0) train(1) evaluate(1)",
        "1 train, 1 evaluate, 2 train, 2 evaluate",
    ),
    "only training": ("train(1) train(2) train(3)", "1 train, 2 train, 3 train"),
    "only questions, numbered": ("query(1) query(2)", "1 query, 2 query"),
    "only questions, without numbers": ("query query query", "1 query, 2 query, 3 query"),
    "only evaluations, numbered": ("evaluate(1) evaluate(2)", "1 evaluate, 2 evaluate"),
    "without numbers": ("train evaluate train evaluate", "1 train, 1 evaluate, 2 train, 2 evaluate"),
    "without numbers, no evaluation": ("train train train", "1 train, 2 train, 3 train"),
    "a question before each training": ("query train query train", "1 query, 1 train, 2 query, 2 train"),
    "vertical, as Flower's example": (
        "query.embed train.apply query.embed train.apply",
        "1 query.embed, 1 train.apply, 2 query.embed, 2 train.apply",
    ),
    "one question before all training": (
        "query train evaluate train evaluate train evaluate",
        "1 query, 1 train, 1 evaluate, 2 train, 2 evaluate, 3 train, 3 evaluate",
    ),
    "one question before numbered training": (
        "query train(1) evaluate(1) train(2)",
        "1 query, 1 train, 1 evaluate, 2 train",
    ),
    "a question under 0 before numbered training": (
        "query(0) train(1) train(2)",
        "1 query, 1 train, 2 train",
    ),
    "two questions in each round": (
        "query query train query query train query query train",
        "1 query, 2 query, 2 train, 3 query, 3 query 2, 3 train, 4 query, 4 query 2, 4 train",
    ),
    "a question after each training": ("train query train query", "1 train, 1 query, 2 train, 2 query"),
    "stages by type, without numbers": (
        "train.setup train.share train.setup train.share",
        "1 train.setup, 1 train.share, 2 train.setup, 2 train.share",
    ),
    "the initial model first": ("evaluate train evaluate train", "0 evaluate, 1 train, 1 evaluate, 2 train"),
    "the initial model first, as 0": (
        "evaluate(0) train(1) evaluate(1) train(2)",
        "0 evaluate, 1 train, 1 evaluate, 2 train",
    ),
    "two evaluations of the initial model": ("evaluate evaluate train", "0 evaluate, 0 evaluate 2, 1 train"),
    "personalised: evaluation first": (
        "evaluate(1) train(1) evaluate(2) train(2)",
        "1 evaluate, 1 train, 2 evaluate, 2 train",
    ),
    "evaluation first, from 0": (
        "evaluate(0) train(0) evaluate(1) train(1)",
        "0 evaluate, 1 train, 1 evaluate, 2 train",
    ),
    "evaluation before and after training": (
        "evaluate(1) train(1) evaluate(1) evaluate(2) train(2) evaluate(2)",
        "1 evaluate, 1 train, 1 evaluate 2, 2 evaluate, 2 train, 2 evaluate 2",
    ),
    "two trainings in a round": (
        "train(1) train(1) evaluate(1) train(2) train(2) evaluate(2)",
        "1 train, 1 train 2, 1 evaluate, 2 train, 2 train 2, 2 evaluate",
    ),
    "secure aggregation in four stages": (
        "train(1) train(1) train(1) train(1) evaluate(1) train(2)",
        "1 train, 1 train 2, 1 train 3, 1 train 4, 1 evaluate, 2 train",
    ),
    "started twice": (
        "train(1) evaluate(1) train(2) evaluate(2) train(1) evaluate(1) train(2) evaluate(2)",
        "1 train, 1 evaluate, 2 train, 2 evaluate, 3 train, 3 evaluate, 4 train, 4 evaluate",
    ),
    "started twice, one round each": (
        "train(1) evaluate(1) train(1) evaluate(1)",
        "1 train, 1 evaluate, 2 train, 2 evaluate",
    ),
    "started twice with the server's evaluation": (
        "score(0) train(1) score(1) score(0) train(1) score(1)",
        "0 score, 1 train, 1 score, - score, 2 train, 2 score",
    ),
    "the server evaluates after the clients": (
        "score(0) train(1) evaluate(1) score(1) train(2) evaluate(2) score(2)",
        "0 score, 1 train, 1 evaluate, 1 score, 2 train, 2 evaluate, 2 score",
    ),
    "the server evaluates before the clients, as the older style": (
        "score(0) train(1) score(1) evaluate(1) train(2) score(2) evaluate(2)",
        "0 score, 1 train, 1 score, 1 evaluate, 2 train, 2 score, 2 evaluate",
    ),
    "the server evaluates and messages have no number": (
        "score(0) train score(1) train score(2)",
        "0 score, 1 train, 1 score, 2 train, 2 score",
    ),
    "the server counts from 1, messages from 0": (
        "score(0) train(0) score(1) train(1) score(2)",
        "0 score, 1 train, 1 score, 2 train, 2 score",
    ),
    "the server evaluates a round in which nothing was sent": (
        "train(1) score(1) score(2) train(3) score(3)",
        "1 train, 1 score, 2 score, 3 train, 3 score",
    ),
    "the server evaluates twice in a round": ("train(1) score(1) score(1)", "1 train, 1 score, 1 score"),
    "the server's evaluations are told at the end": (
        "train(1) train(2) train(3) score(1) score(2) score(3)",
        "1 train, 2 train, 3 train, 1 score, 2 score, 3 score",
    ),
    "the server's evaluations are told at the end, without numbers": (
        "train train train score(1) score(2) score(3)",
        "1 train, 2 train, 3 train, 1 score, 2 score, 3 score",
    ),
    "started twice without numbers, the server evaluates": (
        "score(0) train score(1) train score(2) score(0) train score(1) train score(2)",
        "0 score, 1 train, 1 score, 2 train, 2 score, - score, 3 train, 3 score, 4 train, 4 score",
    ),
    "started twice, the server evaluates only then": (
        "train(1) train(2) score(0) train(1) score(1)",
        "1 train, 2 train, - score, 3 train, 3 score",
    ),
    "the server counts from 0 and messages have no number": (
        "train score(0) train score(1)",
        "1 train, 1 score, 2 train, 2 score",
    ),
    "the server's evaluation alone": ("score(0) score(1) score(2)", "0 score, 1 score, 2 score"),
    "evaluation numbered from 0, training from 1": (
        "train(1) evaluate(0) train(2) evaluate(1)",
        "1 train, 1 evaluate, 2 train, 2 evaluate",
    ),
    "evaluation without a number": (
        "train(1) evaluate train(2) evaluate",
        "1 train, 1 evaluate, 2 train, 2 evaluate",
    ),
    "evaluation of the model before, while the next trains": (
        "train(1) train(2) evaluate(1) train(3) evaluate(2)",
        "1 train, 2 train, 1 evaluate, 3 train, 2 evaluate",
    ),
    "training in every second round": (
        "train(1) evaluate(1) evaluate(2) train(3) evaluate(3)",
        "1 train, 1 evaluate, 2 evaluate, 3 train, 3 evaluate",
    ),
    "numbers with gaps": ("train(10) train(20)", "1 train, 2 train"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_rounds_are_recognised_in_apps(shape: str) -> None:
    script, seen = SHAPES[shape]

    assert App().play(script) == seen.split(", ")


@pytest.mark.parametrize(
    ("script", "labels"),
    [
        ("train(1) train(2)", [None, None]),
        ("train(0) train(1)", ["0", "1"]),
        ("train train", [None, None]),
        ("train(1) train(2) train(1)", [None, None, "1"]),
        ("query(0) train(1)", [None]),
        ("evaluate(0) train(1)", [None, None]),
        ("train(7)", ["7"]),
    ],
)
def test_the_apps_own_number_is_the_label_where_it_is_another(script: str, labels: list[str | None]) -> None:
    app = App()
    rounds = {}
    for step in script.split():
        App.play(app, step)
        assert app.rounds.open is not None
        rounds[app.rounds.open.round] = app.rounds.open

    assert [round_.label for round_ in rounds.values()] == labels


def test_a_group_that_is_no_number_is_a_label_and_says_nothing_of_rounds() -> None:
    app = App()

    first = app.ask("query", None, name="question_1")[0]
    second = app.ask("query", None, name="question_2")[0]

    assert [(place.round.round, place.round.label) for place in (first, second)] == [
        (1, "question_1"),
        (2, "question_2"),
    ]


def test_clients_that_are_asked_one_by_one_are_asked_in_the_same_stage() -> None:
    app = App()
    for number in (1, 2):
        for kind in ("train", "evaluate"):
            for client_id in ALL:
                app.ask(kind, number, client_id)

    assert list(dict.fromkeys(app.seen)) == ["1 train", "1 evaluate", "2 train", "2 evaluate"]


def test_clients_that_are_asked_one_by_one_without_a_number_make_a_round_together() -> None:
    app = App()
    for client_id in ("a", "b", "c", "a", "b", "c"):
        app.ask("train", None, client_id)

    assert app.seen == ["1 train"] * 3 + ["2 train"] * 3


def test_clients_that_were_not_asked_yet_join_a_stage_that_is_not_over() -> None:
    rounds = AppRounds()

    first = rounds.sent(asked("train", None, "a", "b"))
    others = rounds.sent(asked("train", None, "c", "d"))

    assert {(place.round.round, place.stage.name) for place in first + others} == {(1, "train")}


def test_a_sample_of_other_clients_is_the_next_round_when_the_one_before_has_answered() -> None:
    app = App()
    app.ask("train", None, "a", "b")
    app.ask("train", None, "c", "d")

    assert app.seen == ["1 train", "2 train"]


def test_a_client_that_failed_is_asked_again_in_the_same_stage() -> None:
    app = App()
    app.ask("train", 1, "a", "b", result=None)
    app.ask("train", 1, "a")
    app.ask("train", 1, "b")

    assert app.seen == ["1 train", "1 train", "1 train"]


def test_without_a_number_a_client_that_failed_is_asked_in_the_next_round() -> None:
    app = App()
    app.ask("train", None, "a", result=None)
    app.ask("train", None, "a", result=None)

    assert app.seen == ["1 train", "2 train"]


def test_a_client_that_is_asked_twice_at_once_is_asked_in_two_stages() -> None:
    rounds = AppRounds()

    for number in (None, 1):
        places = rounds.sent(asked("train", number, "a", "b", "a"))
        assert [place.stage.name for place in places] == ["train", "train", "train 2"]
        assert len({place.round.round for place in places}) == 1


def test_one_batch_of_several_types_is_one_round() -> None:
    rounds = AppRounds()

    places = rounds.sent(asked("train", 1, "a") + asked("evaluate", 1, "b") + asked("query", 1, "c"))

    assert [(place.round.round, place.stage.name) for place in places] == [
        (1, "train"),
        (1, "evaluate"),
        (1, "query"),
    ]


def test_an_app_that_calls_all_rounds_alike_has_no_round_without_end() -> None:
    app = App()
    for _ in range(3 * MAX_STAGES):
        app.ask("train", 1)

    assert app.rounds.open is not None
    assert app.rounds.open.round == 3
    assert len(app.rounds.open.stages) == MAX_STAGES


def test_long_runs_keep_their_numbers_but_not_who_was_asked() -> None:
    app = App()
    first = app.ask("train", 0)[0]
    for number in range(1, 50):
        app.ask("train", number)

    scored, aggregated = app.rounds.evaluated(0), app.rounds.aggregated("train", 0)

    assert scored is first.round
    assert aggregated == first
    assert first.stage.asked == set()
    app.ask("evaluate", 0)
    assert app.seen[-1] == "50 evaluate", "who lacks an evaluation is known of the newest rounds only"


def test_what_the_strategy_aggregates_belongs_to_the_newest_stage_of_its_kind() -> None:
    app = App()
    app.ask("train", 1)
    app.ask("train", 1)
    app.ask("evaluate", 1)

    trained, evaluated = app.rounds.aggregated("train", 1), app.rounds.aggregated("evaluate", None)

    assert trained is not None
    assert evaluated is not None
    assert (trained.stage.name, evaluated.stage.name) == ("train 2", "evaluate")


def test_an_aggregate_without_messages_is_of_no_stage_and_shows_that_the_round_was_evaluated() -> None:
    app = App()
    app.ask("train", 1)

    assert app.rounds.aggregated("evaluate", 1) is None
    app.ask("train", 1)

    assert app.seen == ["1 train", "2 train"], "strategy.start() again, with one round and no evaluation"


def test_who_has_trained_is_told_by_the_newest_reply_to_training() -> None:
    app = App()
    app.ask("train", 1, "a", "b", "c")
    batch = asked("train", 1, "a", "b", "c")
    places = app.rounds.sent(batch)
    answer(places[:1], batch[:1])
    answer(places[1:2], batch[1:2], None)

    round_ = places[0].round

    assert round_.have_trained() == {"a", "c"}
    assert round_.asked_to_train() == {"a", "b", "c"}
    assert not round_.is_answered
