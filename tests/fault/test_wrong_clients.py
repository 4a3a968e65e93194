"""Clients that answer late, twice, for another round or not at all, or lose the connection half-way."""

from __future__ import annotations

from typing import Any

import pytest
from flwr.app import Array, ArrayRecord

from shared.chunks import opening
from shared.proto.link_pb2 import Failure, Held, ServerFrame
from tests.fault.conftest import completed_round, read_message, said_since
from tests.support.answers import TRAINED, evaluated, model_of, serve, trained
from tests.support.api import Api
from tests.support.forked_server import ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("no_tracebacks")

SPEC: dict[str, Any] = {"min_clients": 2, "num_partitions": 2, "model": "linear", "num_rounds": 1}


class TestSilent:
    def test_it_is_shown_as_late_and_the_round_goes_on(self, api: Api, bad: RawClient, good: None) -> None:
        before = api.get("/status")["seq"]
        run_id = api.start(**{**SPEC, "num_rounds": 3, "min_clients": 1, "round_timeout_s": 0.5})["id"]
        bad.read_task()

        late = api.wait_for_client("bad", "late")
        assert late["late_since"] is not None
        rounds = [completed_round(api, run_id, number) for number in (1, 2, 3)]

        assert [round_["clients"] for round_ in rounds] == [1, 1, 1]
        assert rounds[0]["per_client"]["bad"]["late"]
        assert not rounds[0]["per_client"]["good"]["late"]
        assert [sorted(round_["per_client"]) for round_ in rounds[1:]] == [["good"], ["good"]]
        assert api.clients()["bad"]["state"] == "late", "it has not said that it stopped"
        waited = [line for line in said_since(api, before) if line.endswith("is not waited for")]
        assert waited == ["round 1: bad is late, its result of train is not waited for"], "once, not twice"

    def test_where_it_is_needed_the_run_waits_and_says_for_whom(
        self, api: Api, bad: RawClient, good: None
    ) -> None:
        run_id = api.start(**SPEC, round_timeout_s=0.5, min_replies=2)["id"]
        message_id, message = read_message(bad)

        waiting = api.wait_for_reason(run_id, "waiting for 1 more reply")
        assert waiting["reason"] == "waiting for 1 more reply (1 of 2): bad is late"
        assert api.clients()["bad"]["state"] == "late"

        bad.reply(message_id, trained(message))
        assert serve(bad) == "evaluate"
        assert completed_round(api, run_id)["clients"] == 2

    def test_it_is_let_go_when_the_run_is_stopped(self, api: Api, bad: RawClient) -> None:
        run_id = api.start(**{**SPEC, "min_clients": 1})["id"]
        message_id, _ = bad.read_task()

        api.stop(run_id)

        assert bad.read_kind("cancel").cancel.message_id == message_id
        api.wait_for_run(run_id, "stopped")


class TestDeclining:
    @pytest.mark.parametrize("rule", ["minimum_cohort", "a\x1b[2Jb\n" * 2_000, "\u202e", " "])
    def test_whatever_it_calls_its_rule_the_run_goes_on_with_the_others(
        self, api: Api, bad: RawClient, good: None, rule: str
    ) -> None:
        """Also where the run wants the replies of all: who declines counts as one who was not asked."""
        run_id = api.start(**SPEC, min_reply_share=1.0, fraction_evaluate=0.0)["id"]
        message_id, _ = bad.read_task()

        bad.send(failure=Failure(message_id=message_id, reason="not for us", rule=rule))

        part = completed_round(api, run_id)["per_client"]["bad"]
        assert part["error"].startswith("declined by its site: ")
        assert part["error"].endswith("not for us")
        assert part["error"].isprintable()
        assert len(part["error"]) < 2_000

    def test_a_round_that_all_decline_fails_and_names_the_rule(self, api: Api, bad: RawClient) -> None:
        run_id = api.start(**{**SPEC, "min_clients": 1})["id"]
        message_id, _ = bad.read_task()

        bad.send(failure=Failure(message_id=message_id, reason="confirm = true", rule="confirm"))

        run = wait_until(
            lambda: run if (run := api.run(run_id))["state"] == "failed" else None, "the run has failed"
        )
        assert run["cause"] == "round"
        assert "no client returned an update (declined by its site: confirm = true)" in run["reason"]

    def test_a_message_that_it_holds_back_is_shown_with_the_reason(self, api: Api, bad: RawClient) -> None:
        api.start(**{**SPEC, "min_clients": 1})
        message_id, _ = bad.read_task()

        bad.send(held=Held(message_id="another", reason="nothing"))
        bad.send(held=Held(message_id=message_id, reason="it waits to be confirmed" * 1_000))

        reason = wait_until(lambda: api.clients()["bad"]["reason"], "the reason is shown")
        assert reason.startswith("it waits to be confirmed")
        assert len(reason) <= 1_000


class TestLate:
    def test_its_reply_is_dropped_and_that_is_said(self, api: Api, bad: RawClient, good: None) -> None:
        before = api.get("/status")["seq"]
        spec = {**SPEC, "min_clients": 1, "round_timeout_s": 0.5, "fraction_evaluate": 0.0}
        run_id = api.start(**spec)["id"]
        message_id, message = read_message(bad)
        bad.read_kind("cancel")
        doubled = {name: Array(2 * array.numpy()) for name, array in model_of(message).items()}
        assert completed_round(api, run_id)["clients"] == 1

        bad.reply(message_id, trained(message, ArrayRecord(doubled)))

        api.wait_for_client("bad", "idle")
        assert any(
            line.startswith("bad: a late reply for round 1 was dropped") for line in said_since(api, before)
        )
        assert api.rounds(run_id)[1]["clients"] == 1


class TestTooOften:
    def test_the_second_reply_to_a_message_counts_for_nothing(
        self, api: Api, bad: RawClient, good: None
    ) -> None:
        run_id = api.start(**{**SPEC, "num_rounds": 2})["id"]
        for _ in range(2):
            message_id, message = read_message(bad)
            bad.reply(message_id, trained(message))
            bad.reply(message_id, trained(message))
            message_id, message = read_message(bad)
            bad.reply(message_id, evaluated(message))
            bad.reply(message_id, evaluated(message))

        assert completed_round(api, run_id, 2)["clients"] == 2
        assert api.rounds(run_id)[1]["clients"] == 2
        assert api.clients()["bad"]["state"] == "idle"

    def test_a_reply_of_another_round_counts_for_nothing(self, api: Api, bad: RawClient, good: None) -> None:
        run_id = api.start(**{**SPEC, "num_rounds": 2})["id"]
        first_id, first = read_message(bad)
        bad.reply(first_id, trained(first, metrics={**TRAINED, "train_loss": 1.0}))
        assert serve(bad) == "evaluate"
        second_id, second = read_message(bad)

        bad.reply(first_id, trained(first, metrics={**TRAINED, "train_loss": 2.0}))
        bad.reply(second_id, trained(second, metrics={**TRAINED, "train_loss": 3.0}))

        assert serve(bad) == "evaluate"
        completed_round(api, run_id, 2)
        losses = [round_["per_client"]["bad"]["train_loss"] for round_ in api.rounds(run_id)[1:]]
        assert losses == [1.0, 3.0]

    def test_a_reply_to_a_message_of_another_client_counts_for_nothing(
        self, api: Api, bad: RawClient, lasting_server: ForkedServer
    ) -> None:
        with RawClient(lasting_server.home) as other:
            other.hello("other")
            run_id = api.start(**SPEC)["id"]
            others_id, others_message = read_message(other)
            message_id, message = read_message(bad)

            bad.reply(others_id, trained(others_message))
            bad.reply(message_id, trained(message))
            wait_until(lambda: api.clients()["bad"]["state"] == "idle", "the last reply has come in")
            assert api.clients()["other"]["state"] == "training", "nothing of it was taken for the other's"

            other.reply(others_id, trained(others_message))
            assert [serve(other), serve(bad)] == ["evaluate", "evaluate"]
            assert completed_round(api, run_id)["clients"] == 2


class TestCutConnection:
    """Messages and replies survive the connection that they were on."""

    def again(self, server: ForkedServer, before: RawClient, *holding: str) -> tuple[RawClient, ServerFrame]:
        """The same process comes back, and says which messages it still has."""
        link = RawClient(server.home, before=before)
        return link, link.hello("bad", holding=holding)

    def test_a_reply_that_was_cut_is_sent_again_and_counts_once(
        self, api: Api, bad: RawClient, good: None, lasting_server: ForkedServer
    ) -> None:
        run_id = api.start(**SPEC, min_replies=2)["id"]
        message_id, message = read_message(bad)
        reply = trained(message)
        size = len(reply.skeleton)
        bad.send(reply=opening(message_id, reply.skeleton[:100], size, reply.array_bytes))

        link, answer = self.again(lasting_server, bad, message_id)
        with link:
            assert list(answer.welcome.awaited) == [message_id]
            bad.ending()
            link.reply(message_id, reply)
            link.reply(message_id, reply)
            assert link.read_kind("received").received.message_id == message_id
            assert serve(link) == "evaluate"
            assert completed_round(api, run_id)["clients"] == 2

    def test_a_message_that_the_client_has_lost_is_sent_again(
        self, api: Api, bad: RawClient, good: None, lasting_server: ForkedServer
    ) -> None:
        run_id = api.start(**SPEC, min_replies=2)["id"]
        message_id, _ = bad.read_task()

        link, answer = self.again(lasting_server, bad)
        with link:
            assert list(answer.welcome.awaited) == []
            again_id, message = read_message(link)
            assert again_id == message_id
            link.reply(again_id, trained(message))
            assert serve(link) == "evaluate"
            assert completed_round(api, run_id)["clients"] == 2

    def test_of_a_message_that_nobody_waits_for_it_is_told_so(
        self, api: Api, bad: RawClient, lasting_server: ForkedServer
    ) -> None:
        run_id = api.start(**{**SPEC, "min_clients": 1})["id"]
        message_id, _ = bad.read_task()
        api.stop(run_id)
        api.wait_for_run(run_id, "stopped")

        link, answer = self.again(lasting_server, bad, message_id, "never sent")
        with link:
            assert list(answer.welcome.awaited) == []
