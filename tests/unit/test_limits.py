"""How much one client may have the server write down, and what becomes of the rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.event_bus import EventBus
from app.federation.link.client_logs import SPELL_S, ClientLogs
from app.federation.link.limits import LINE_BYTES, LOG_BYTES, Allowance, Limits
from shared.proto.link_pb2 import LogLine
from shared.wire import MAX_LOG_TEXT
from tests.support.clock import Clock


@given(
    st.integers(1, 50),
    st.floats(0.01, 10),
    st.lists(st.tuples(st.floats(0, 20), st.floats(0.1, 5)), max_size=60),
)
def test_never_is_more_taken_than_so_much_at_once_and_so_much_a_second(
    most: int, per_s: float, wishes: list[tuple[float, float]]
) -> None:
    clock = Clock()
    allowance = Allowance(most, per_s, clock)
    taken: list[tuple[float, float]] = []

    for pause, amount in wishes:
        clock.now += pause
        if allowance.take(amount):
            taken.append((clock.now, amount))

    for first, (since, _) in enumerate(taken):
        for last, (until, _) in enumerate(taken[first:], first):
            in_between = sum(amount for _, amount in taken[first : last + 1])
            assert in_between <= most + per_s * (until - since) + 1e-6


def test_what_was_not_used_comes_back() -> None:
    clock = Clock()
    allowance = Allowance(2, 1, clock)

    assert [allowance.take() for _ in range(3)] == [True, True, False]
    clock.now += 1
    assert [allowance.take() for _ in range(2)] == [True, False]
    clock.now += 100
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_one_client_takes_nothing_away_from_another() -> None:
    limits = Limits(Clock())
    while limits.of("a").visits.take():
        pass

    assert limits.of("b").visits.take()
    assert not limits.of("a").visits.take()
    limits.forget("a")
    assert limits.of("a").visits.take(), "who was let in anew begins anew"


class Logging:
    """What a client logs, and what comes of it."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.bus = EventBus()
        self.logs = ClientLogs(self.bus, Limits(self.clock), lambda _: "run", self.clock)

    def log(self, count: int, text: str = "x", client_id: str = "a") -> None:
        for _ in range(count):
            self.logs.add(client_id, LogLine(level="info", message=text))

    @property
    def lines(self) -> list[str]:
        return [entry.message for entry in self.bus.logs()]


LONG = "x" * MAX_LOG_TEXT
ROOM = LOG_BYTES[0] // (MAX_LOG_TEXT + LINE_BYTES)


def test_a_client_that_logs_without_end_fills_no_disk_and_how_much_was_left_out_is_told() -> None:
    logging = Logging()

    logging.log(ROOM + 50, LONG)
    logging.log(1, "of another", client_id="b")

    assert logging.lines == [LONG] * ROOM + ["of another"]
    logging.clock.now += SPELL_S
    logging.log(1, "again")
    *_, told, again = logging.lines
    assert told.startswith("50 more lines of this log were left out")
    assert again == "again"
    told_entry = logging.bus.logs()[-2]
    assert (told_entry.level, told_entry.source, told_entry.run_id) == ("warning", "a", "run")


def test_while_it_goes_on_that_is_told_once_a_spell() -> None:
    logging = Logging()

    for _ in range(600):
        logging.clock.now += 0.1
        logging.log(20, LONG)

    told = [line for line in logging.lines if "were left out" in line]
    assert 1 <= len(told) <= 3


def test_it_is_told_when_the_client_leaves() -> None:
    logging = Logging()
    logging.log(ROOM + 1, LONG)

    logging.logs.tell("a")
    logging.logs.tell("a")

    assert [line for line in logging.lines if "left out" in line] == [logging.lines[-1]]
    assert logging.lines[-1].startswith("1 more")
