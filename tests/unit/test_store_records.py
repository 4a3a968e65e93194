"""Every record comes back from the store as it went in, but for what is true only for the moment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from app.event_bus import EventBus
from app.events import EventData
from app.records import (
    Client,
    ClientProgress,
    ClientRound,
    ClientState,
    GlobalScore,
    Judgement,
    LogRecord,
    Phase,
    PrivacySpent,
    Protected,
    Round,
    RoundUpdate,
    Run,
    RunProgress,
    RunState,
    Verdict,
)
from app.store.rows import (
    CLIENT_FIELDS,
    CLIENT_ROUND_FIELDS,
    LOG_FIELDS,
    ROUND_FIELDS,
    RUN_FIELDS,
    VERDICT_FIELDS,
)
from app.store.store import Store
from app.store.urls import default_url
from shared.names import DatasetName, ModelName
from shared.run_spec import RunSpec
from tests.support.postgres import PostgresServer

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
COUNT = st.integers(0, 2**53)
SCALAR = st.one_of(st.booleans(), st.integers(-(2**63), 2**63), NUMBER, TEXT)
SPEC = st.builds(
    RunSpec,
    app=st.none() | TEXT,
    run_config=st.dictionaries(TEXT, SCALAR, max_size=3),
    dataset=st.sampled_from(DatasetName),
    model=st.sampled_from(ModelName),
    num_partitions=st.none() | st.integers(2, 10_000),
    strategy_params=st.dictionaries(TEXT, SCALAR, max_size=3),
    lr=st.floats(1e-300, 100, exclude_min=True),
    alpha=st.none() | st.floats(1e-300, 1e6),
    seed=st.integers(0, 2**53 - 1),
)
METRICS = st.dictionaries(TEXT, NUMBER, max_size=3)
PART = st.builds(
    ClientRound,
    train_loss=st.none() | NUMBER,
    loss=st.none() | NUMBER,
    accuracy=st.none() | NUMBER,
    samples=st.none() | COUNT,
    train_s=st.none() | NUMBER,
    held_out=st.none() | st.integers(1, 1 << 31),
    evaluate_s=st.none() | NUMBER,
    late=st.booleans(),
    metrics=METRICS,
    stages=st.dictionaries(TEXT, METRICS, max_size=2),
    verdict=st.none() | st.sampled_from(Verdict),
    error=st.none() | TEXT,
)
ROUND = st.builds(
    Round,
    round=st.integers(0, 10_000),
    label=st.none() | TEXT,
    metrics=st.dictionaries(TEXT, METRICS, max_size=2),
    complete=st.booleans(),
    loss=st.none() | NUMBER,
    accuracy=st.none() | NUMBER,
    class_accuracy=st.none() | st.lists(st.none() | NUMBER, max_size=3).map(tuple),
    confusion=st.none() | st.lists(st.lists(COUNT, max_size=3).map(tuple), max_size=3).map(tuple),
    clients=COUNT,
    epsilon=st.none() | NUMBER,
    started_at=NUMBER,
    duration_s=st.none() | NUMBER,
    per_client=st.dictionaries(TEXT, PART, max_size=3),
)


def runs(run_id: str) -> SearchStrategy[Run]:
    return st.builds(
        Run,
        id=st.just(run_id),
        state=st.sampled_from(RunState),
        reason=st.none() | TEXT,
        spec=SPEC,
        round=COUNT,
        num_rounds=st.none() | COUNT,
        progress=st.none()
        | st.builds(RunProgress, phase=st.sampled_from(Phase), done=COUNT, total=COUNT, since=NUMBER),
        clients=st.lists(TEXT, max_size=3).map(tuple),
        created_at=NUMBER,
        started_at=st.none() | NUMBER,
        finished_at=st.none() | NUMBER,
        final=st.none() | st.builds(GlobalScore, loss=st.none() | NUMBER, accuracy=st.none() | NUMBER),
        privacy=st.none()
        | st.builds(
            PrivacySpent,
            protects=st.sampled_from(Protected),
            epsilon=st.none() | NUMBER,
            delta=NUMBER,
            releases=COUNT,
        ),
        error=st.none() | TEXT,
        classes=st.lists(TEXT, max_size=3).map(tuple),
        can_resume=st.booleans(),
    )


def clients(client_id: str) -> SearchStrategy[Client]:
    return st.builds(
        Client,
        id=st.just(client_id),
        state=st.sampled_from(ClientState),
        app=st.none() | TEXT,
        dataset=TEXT,
        models=st.lists(TEXT, max_size=3).map(tuple),
        samples=st.none() | COUNT,
        label_counts=st.none() | st.lists(COUNT, max_size=3).map(tuple),
        partition=st.none() | COUNT,
        num_partitions=st.none() | COUNT,
        host=TEXT,
        device=TEXT,
        connected_at=NUMBER,
        last_seen=NUMBER,
        reason=st.none() | TEXT,
        round=st.none() | COUNT,
        late_since=st.none() | NUMBER,
        progress=st.none()
        | st.builds(ClientProgress, done=COUNT, total=COUNT, examples_per_s=NUMBER, loss=st.none() | NUMBER),
        train_loss=st.none() | NUMBER,
        loss=st.none() | NUMBER,
        accuracy=st.none() | NUMBER,
    )


LINE = st.builds(
    LogRecord,
    level=st.sampled_from(["debug", "info", "warning", "error"]),
    source=TEXT,
    logger=TEXT,
    message=TEXT,
    run_id=st.none() | TEXT,
    traceback=st.none() | TEXT,
)


def judgements(run_id: str) -> SearchStrategy[Judgement]:
    return st.builds(
        Judgement,
        run_id=st.just(run_id),
        round=st.none() | COUNT,
        client_id=TEXT,
        key=TEXT,
        message_id=TEXT,
        kind=st.none() | TEXT,
        verdict=st.sampled_from(Verdict),
        detail=st.none() | TEXT,
        time=NUMBER,
        bytes=COUNT,
        sequence=st.none() | COUNT,
        skeleton_digest=st.none() | TEXT,
        arrays_digest=st.none() | TEXT,
        base_digest=st.none() | TEXT,
        signature=st.none() | TEXT,
        receipt=st.none() | TEXT,
    )


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    if request.param == "sqlite":
        url = default_url(Path(tmp_path_factory.mktemp("records")))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database()
    with Store.open(url) as store:
        yield store


@pytest.fixture(scope="module")
def bus() -> EventBus:
    return EventBus()


@pytest.fixture(scope="module")
def ids() -> Iterator[str]:
    """Each example has a run or client of its own."""
    return (f"id-{number}" for number in count())


a_few_examples = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def keep(store: Store, bus: EventBus, *data: EventData) -> None:
    before = bus.last
    for one in data:
        bus.publish(one)
    store.apply(bus.since(before))


@a_few_examples
@given(data=st.data())
def test_a_run_comes_back(store: Store, bus: EventBus, ids: Iterator[str], data: st.DataObject) -> None:
    run = data.draw(runs(next(ids)))
    keep(store, bus, run)

    assert store.run(run.id) == run.model_copy(update={"progress": None})


@a_few_examples
@given(data=st.data())
def test_a_change_of_a_run_comes_back(
    store: Store, bus: EventBus, ids: Iterator[str], data: st.DataObject
) -> None:
    run_id = next(ids)
    for run in data.draw(st.lists(runs(run_id), min_size=2, max_size=3)):
        keep(store, bus, run)

    assert store.run(run_id) == run.model_copy(update={"progress": None})


@a_few_examples
@given(first=ROUND, second=ROUND, third=ROUND)
def test_rounds_come_back_with_the_results_of_each_client(
    store: Store, bus: EventBus, ids: Iterator[str], first: Round, second: Round, third: Round
) -> None:
    run = Run(id=next(ids), state=RunState.RUNNING, spec=RunSpec(), num_rounds=3, created_at=0.0)
    changed = second.model_copy(update={"round": first.round})
    keep(store, bus, run, RoundUpdate(run_id=run.id, round=first))
    keep(store, bus, RoundUpdate(run_id=run.id, round=changed), RoundUpdate(run_id=run.id, round=third))

    last = {changed.round: changed, third.round: third}
    assert store.rounds(run.id) == [round_ for _, round_ in sorted(last.items())]


@a_few_examples
@given(data=st.data())
def test_a_client_comes_back(store: Store, bus: EventBus, ids: Iterator[str], data: st.DataObject) -> None:
    client = data.draw(clients(next(ids)))
    keep(store, bus, client)

    kept = {known.id: known for known in store.clients()}[client.id]
    of_the_moment: dict[str, Any] = {"reason": None, "round": None, "late_since": None, "progress": None}
    assert kept == client.model_copy(update={"state": ClientState.LOST, **of_the_moment})


@a_few_examples
@given(data=st.data())
def test_a_verdict_comes_back_with_its_place(
    store: Store, bus: EventBus, ids: Iterator[str], data: st.DataObject
) -> None:
    run_id = next(ids)
    judgement = data.draw(judgements(run_id))
    keep(store, bus, judgement)

    (entry,) = store.verdicts(10, run_id=run_id)

    assert entry.seq == bus.last
    assert Judgement(**entry.model_dump(exclude={"seq"})) == judgement


@a_few_examples
@given(record=LINE)
def test_a_log_record_comes_back(store: Store, bus: EventBus, record: LogRecord) -> None:
    keep(store, bus, record)

    assert store.logs(1) == bus.logs()[-1:]


def test_every_field_of_a_record_is_kept_or_only_true_for_the_moment() -> None:
    assert Run.model_fields.keys() - RUN_FIELDS == {"progress"}
    assert Round.model_fields.keys() - ROUND_FIELDS == {"per_client", "spread", "unreadable"}
    assert ClientRound.model_fields.keys() == CLIENT_ROUND_FIELDS
    assert Client.model_fields.keys() - CLIENT_FIELDS == {
        "state",
        "membership",  # these three are in the table of members
        "waiting_keys",
        "ephemeral",
        "mesh",
        "reason",
        "round",
        "late_since",
        "progress",
        "bytes_sent",
        "bytes_received",
        "verdict",
        "verdicts",
        "withholds_usage",
    }
    assert LogRecord.model_fields.keys() == LOG_FIELDS
    assert Judgement.model_fields.keys() == VERDICT_FIELDS
