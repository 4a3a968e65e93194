"""The log holds nothing that lets somebody in, and its file nothing that steers a terminal."""

from __future__ import annotations

import json
import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.event_bus import EventBus
from app.exporting.log_lines import json_line, text_line
from app.log_feed import EventLogHandler
from app.records import LogEntry
from client.log_shipping import LinkLogHandler
from client.site.policy import LogRule, Policy
from dashboard.log_batches import GAP_S, MOST, LogBatches
from dashboard.log_text import for_file, without_secrets
from shared.proto.link_pb2 import LogLine


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("join by fedloom://abc.def:9092/XYZ-123 now", "join by fedloom://… now"),
        ("--invite 'fedmesh://k@h:1/t'", "--invite 'fedmesh://…'"),
        ("postgresql://ann:p%40ss@db/x refused", "postgresql://ann:…@db/x refused"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("GET /?token=abcdef&x=1", "GET /?token=…&x=1"),
        ("password: hunter2", "password: …"),
        ("api_key=xyz, next", "api_key=…, next"),
        (
            "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\nrest",
            "-----BEGIN PRIVATE KEY-----…\nrest",
        ),
        ("token count 5, a secret aggregation, http://localhost:5000/runs", None),
        ("round 3: rounds-key=num-rounds, loss=0.1", None),
    ],
)
def test_secrets_are_left_out_and_all_else_stays(said: str, kept: str | None) -> None:
    assert without_secrets(said) == (said if kept is None else kept)


@pytest.mark.parametrize("piece", ["a.", "a://", "bearer ", "token=", "-----BEGIN PRIVATE KEY-----", "a:b@"])
def test_no_text_takes_long_to_look_through(piece: str) -> None:
    began = time.process_time()
    without_secrets(piece * (64_000 // len(piece)))
    assert time.process_time() - began < 5  # a search that goes back and forth takes minutes


def test_neither_end_keeps_a_secret_that_was_logged() -> None:
    bus, sent = EventBus(), list[LogLine]()
    logger = logging.Logger("t")
    logger.addHandler(EventLogHandler(bus))
    logger.addHandler(LinkLogHandler(sent.append))
    try:
        raise ValueError("fedloom://in-the-traceback")
    except ValueError:
        logger.exception("fedloom://in-the-message")
    (entry,), (line,) = bus.logs(), sent
    for said in (entry.message, entry.traceback, line.message, line.traceback):
        assert said is not None
        assert "fedloom://…" in said
        assert "in-the-" not in said


@pytest.mark.parametrize(
    ("rule", "levels"),
    [
        (LogRule.OFF, []),
        (LogRule.ERROR, ["error", "error"]),
        (LogRule.WARNING, ["warning", "error", "error"]),
        (LogRule.INFO, ["info", "warning", "error", "error"]),
    ],
)
def test_a_site_decides_what_of_its_log_leaves(rule: LogRule, levels: list[str]) -> None:
    sent = list[LogLine]()
    logger = logging.Logger("t")
    logger.addHandler(LinkLogHandler(sent.append, rule))
    for say in (logger.debug, logger.info, logger.warning, logger.error, logger.critical):
        say("text")
    assert [line.level for line in sent] == levels


def test_of_flag_and_policy_the_less_is_sent() -> None:
    assert Policy(log=LogRule.WARNING).with_log(LogRule.INFO).log is LogRule.WARNING
    assert Policy().with_log(LogRule.OFF).log is LogRule.OFF


@given(st.text())
def test_a_file_has_no_character_that_steers_a_terminal(text: str) -> None:
    written = for_file(text)
    assert all(character.isprintable() or character in "\n\t" or character.isspace() for character in written)
    assert "\x1b" not in written
    assert "\u202e" not in written


def test_no_line_of_a_file_can_pass_for_another_ones() -> None:
    hostile = "fine\n2026-01-01T00:00:00.000Z server error app: \x1b[2Jthe server is compromised\r\u202eabc"
    entry = LogEntry(seq=1, time=0.25, level="info", source="bad", logger="t", message=hostile)
    first, *rest = text_line(entry).splitlines()
    assert first == "1970-01-01T00:00:00.250Z bad info t: fine"
    assert rest == [
        "    2026-01-01T00:00:00.000Z server error app: \\x1b[2Jthe server is compromised\\r\\u202eabc"
    ]
    assert json.loads(json_line(entry))["message"] == hostile
    assert json_line(entry).count("\n") == 1


def test_lines_are_sent_ten_times_a_second_at_most_and_too_many_not_at_all() -> None:
    batches = LogBatches[int]()
    assert batches.take(0.0) is None
    batches.add([1, 2])
    assert batches.take(0.0) == ([1, 2], True)
    batches.add([3])
    assert batches.take(GAP_S / 2) is None
    batches.add([4])
    assert batches.take(GAP_S) == ([3, 4], True)
    batches.add(range(MOST + 1))
    batches.add([5])
    assert batches.take(2 * GAP_S) == ([], False)
    batches.add([6])
    assert batches.take(3 * GAP_S) == ([6], True)
