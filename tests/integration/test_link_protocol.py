"""Whoever does not keep to the link's protocol is told so or sent away, and disturbs nobody else."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
import torch
from flwr.app import ArrayRecord, Message, MetricRecord, RecordDict

from shared.app_host.serialised import Serialised
from shared.flower import client_failed, decode, encode
from shared.proto.link_pb2 import (
    Chunk,
    ClientFrame,
    Failure,
    Goodbye,
    Heartbeat,
    LogLine,
    Progress,
    SignedHello,
)
from shared.version import __version__
from shared.wire import PROTOCOL_VERSION
from tests.support.api import Api
from tests.support.processes import ServerProcess
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

CHUNK_IN_A_GAP = ClientFrame(reply=Chunk(message_id="m", total_bytes=10, index=1, data=b"12345"))
CHUNK_TOO_MANY = ClientFrame(reply=Chunk(message_id="m", total_bytes=2, data=b"12345"))
CHUNK_OF_NOTHING = ClientFrame(reply=Chunk(total_bytes=5, data=b"12345"))
CHUNK_TOO_LARGE = ClientFrame(reply=Chunk(message_id="m", total_bytes=2**40, data=b"12345"))
METRICS = {"num-examples": 10, "train_loss": 0.5, "duration_s": 0.1}


@pytest.fixture
def link(session_server: ServerProcess, api: Api) -> Iterator[RawClient]:
    """A stream to the shared server, which must be as healthy after the test as before."""
    before = api.get("/status")["seq"]
    with RawClient(session_server.home) as client:
        yield client
    with RawClient(session_server.home) as another:
        assert another.hello("well-behaved").WhichOneof("kind") == "welcome"
        api.wait_for_client("well-behaved", "idle")
    api.wait_for_client("well-behaved", "lost")
    errors = [entry for entry in api.logs(source="server") if entry["seq"] > before and entry["traceback"]]
    assert errors == []


def links(api: Api) -> dict[str, Any]:
    """By client."""
    return {link["client"]: link for link in api.get("/links")["links"]}


def refusal(link: RawClient, client_id: str = "a", **hello: Any) -> str:
    """The words in which a hello is refused for good."""
    answer = link.hello(client_id, **hello)
    assert answer.WhichOneof("kind") == "refusal", answer
    assert answer.refusal.final
    assert link.ending() is grpc.StatusCode.OK
    return answer.refusal.reason


class TestHello:
    def test_a_client_is_welcomed(self, link: RawClient, api: Api) -> None:
        answer = link.hello("a")

        assert answer.WhichOneof("kind") == "welcome"
        assert answer.welcome.version == api.get("/status")["version"]
        client = api.wait_for_client("a", "idle")
        assert (client["dataset"], client["host"], client["device"]) == ("digits", "a test", "cpu")

    @pytest.mark.parametrize("protocol", [0, 1, PROTOCOL_VERSION - 1, PROTOCOL_VERSION + 1, 2**32 - 1])
    def test_another_version_of_the_protocol_is_refused_with_both_versions(
        self, link: RawClient, protocol: int
    ) -> None:
        reason = refusal(link, protocol=protocol, version="9.9")

        assert f"version {PROTOCOL_VERSION} of the link" in reason
        assert f"version {protocol} (FedLoom '9.9')" in reason
        older = "client" if protocol < PROTOCOL_VERSION else "server"
        assert {"client": "Update the client", "server": "Have the server updated"}[older] in reason

    @pytest.mark.parametrize("version", ["0.0.9", "7.0"])
    def test_another_fedloom_with_the_same_protocol_is_welcomed_and_named(
        self, link: RawClient, api: Api, version: str
    ) -> None:
        answer = link.hello("a", version=version)

        assert answer.WhichOneof("kind") == "welcome"
        words = f"a has FedLoom {version}, this server {__version__}: they work together"
        wait_until(lambda: any(words in each["message"] for each in api.logs(source="server")), "it is said")

    @pytest.mark.parametrize(
        "client_id", ["", " ", "a b", "-a", ".", "../x", "ü", "<b>", "a\nb", "a" * 65, "server", "\u202e"]
    )
    def test_an_id_that_is_none_is_refused_with_the_rule(
        self, link: RawClient, client_id: str, api: Api
    ) -> None:
        assert "letters, digits" in refusal(link, client_id)
        assert client_id not in api.clients()

    @pytest.mark.parametrize(
        "hello", [{"host": "h" * 300}, {"device": "\x1b[2J"}, {"dataset": "a\nb"}, {"models": ["m"] * 1_000}]
    )
    def test_a_name_that_nobody_could_read_is_refused(self, link: RawClient, hello: Any) -> None:
        assert "too long, or cannot be printed" in refusal(link, **hello)

    def test_a_heartbeat_with_a_stamp_is_answered_and_one_without_is_not(
        self, link: RawClient, api: Api
    ) -> None:
        link.hello("a")
        link.send(heartbeat=Heartbeat())
        link.send(heartbeat=Heartbeat(stamp=7, latency_s=0.25))

        assert link.read_kind("heartbeat").heartbeat == Heartbeat(stamp=7)
        wait_until(lambda: links(api).get("a", {}).get("latency_s") == 0.25, "it is shown")

    def test_a_distance_that_cannot_be_ends_the_stream(self, link: RawClient, api: Api) -> None:
        link.hello("a")
        link.send(heartbeat=Heartbeat(stamp=1, latency_s=-1.0))

        assert link.ending() is grpc.StatusCode.OK
        wait_until(lambda: "a" not in links(api), "it has no link any more")

    def test_the_first_frame_must_be_a_hello(self, link: RawClient) -> None:
        link.send(heartbeat=Heartbeat())

        assert "must be a signed hello" in link.read_kind("refusal").refusal.reason

    @pytest.mark.parametrize("garbage", [b"\xff" * 40, b"GET / HTTP/1.1\r\n\r\n", b""])
    def test_garbage_in_place_of_a_hello_ends_the_stream(self, link: RawClient, garbage: bytes) -> None:
        link.send_bytes(garbage)

        link.ending()

    def test_a_client_that_comes_back_takes_the_place_of_its_dead_connection(
        self, link: RawClient, session_server: ServerProcess, api: Api
    ) -> None:
        link.hello("a", process="p")
        before = api.wait_for_client("a", "idle")["connected_at"]
        with RawClient(session_server.home) as again:
            assert again.hello("a", process="p").WhichOneof("kind") == "welcome"

            link.ending()
            client = api.wait_for_client("a", "idle")
            assert client["connected_at"] > before

    def test_an_impostor_does_not_push_the_first_one_out(
        self, link: RawClient, session_server: ServerProcess, api: Api
    ) -> None:
        link.hello("a", process="p")
        with RawClient(session_server.home) as impostor:
            answer = impostor.hello("a", process="q")

        assert "already connected from a test" in answer.refusal.reason
        assert not answer.refusal.final
        assert api.clients()["a"]["state"] == "idle"


class TestAfterTheHello:
    @pytest.mark.parametrize(
        "frame",
        [
            CHUNK_IN_A_GAP,
            CHUNK_TOO_MANY,
            CHUNK_OF_NOTHING,
            CHUNK_TOO_LARGE,
            ClientFrame(),
            ClientFrame(signed_hello=SignedHello(hello=b"", token="b")),
        ],
        ids=["gap", "too many", "nameless", "too large", "empty frame", "second hello"],
    )
    def test_a_broken_protocol_ends_the_connection_and_is_logged(
        self, link: RawClient, api: Api, frame: ClientFrame
    ) -> None:
        before = api.get("/status")["seq"]
        link.hello("a")
        link.send_bytes(frame.SerializeToString())

        link.ending()

        api.wait_for_client("a", "lost")
        said = [entry["message"] for entry in api.logs(level="warning") if entry["seq"] > before]
        assert any(line.startswith("a is lost: it broke the link's protocol") for line in said)
        assert "b" not in api.clients()

    def test_a_client_that_says_goodbye_has_left_and_is_no_warning(self, link: RawClient, api: Api) -> None:
        before = api.get("/status")["seq"]
        link.hello("a")
        link.send(goodbye=Goodbye())

        assert link.ending() is grpc.StatusCode.OK

        api.wait_for_client("a", "lost")
        said = [entry for entry in api.logs() if entry["seq"] > before]
        assert "a left" in [entry["message"] for entry in said]
        assert {entry["level"] for entry in said} == {"info"}

    def test_garbage_ends_the_connection(self, link: RawClient, api: Api) -> None:
        link.hello("a")
        link.send_bytes(b"\xff" * 40)

        link.ending()

        api.wait_for_client("a", "lost")

    def test_a_frame_that_is_too_large_ends_the_connection(self, link: RawClient, api: Api) -> None:
        link.hello("a")
        link.send(reply=Chunk(message_id="m", total_bytes=5 << 20, data=bytes(5 << 20)))

        assert link.ending() in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}

        api.wait_for_client("a", "lost")

    def test_news_of_a_message_that_nobody_sent_is_ignored(self, link: RawClient, api: Api) -> None:
        link.hello("a")
        link.reply("never sent", b"payload")
        link.send(failure=Failure(message_id="never sent", reason="?"))
        link.send(progress=Progress(message_id="never sent", done=1, total=2))
        link.send(log=LogLine(level="info", message="still here"))

        wait_until(
            lambda: any(e["message"] == "still here" for e in api.logs(source="a")), "the log line comes"
        )
        client = api.clients()["a"]
        assert (client["state"], client["progress"]) == ("idle", None)

    def test_a_log_line_is_shown_under_the_clients_name_whatever_it_says(
        self, link: RawClient, api: Api
    ) -> None:
        link.hello("talker")
        link.send(
            log=LogLine(level="fatal", logger="x" * 999, message="m" * 100_000, traceback="t" * 100_000)
        )

        (entry,) = wait_until(lambda: api.logs(source="talker"), "the log line comes")
        assert entry["level"] == "info"
        assert len(entry["logger"]) < 300
        assert 1_000 < len(entry["message"]) < 20_000
        assert len(entry["traceback"]) < 20_000

    def test_a_method_that_does_not_exist_is_refused(
        self, link: RawClient, session_server: ServerProcess
    ) -> None:
        link.hello("a")
        with RawClient(session_server.home, "/fedloom.link.v1.Link/Nothing") as lost:
            lost.send_bytes(b"")

            assert lost.ending() is grpc.StatusCode.UNIMPLEMENTED


class TestInARun:
    """The raw client is the only client of a run."""

    @pytest.fixture
    def run_id(self, link: RawClient, api: Api) -> str:
        link.hello("a")
        run = api.start(num_rounds=1, min_clients=1, seed=7)
        run_id: str = run["id"]
        return run_id

    def test_it_is_told_its_place_before_its_first_message(self, link: RawClient, run_id: str) -> None:
        assignment = link.read().assignment

        assert assignment.run == run_id
        assert assignment.node_config["partition-id"].integer == 0
        assert assignment.node_config["num-partitions"].integer == 1
        assert assignment.run_config["dataset"].text == "digits"
        assert assignment.run_config["seed"].integer == 7
        assert assignment.clients_on_host == 1
        assert link.read().WhichOneof("kind") == "task"

    def test_what_it_trained_becomes_the_global_model(self, link: RawClient, run_id: str, api: Api) -> None:
        message_id, payload = link.read_task()
        message = decode(payload)
        arrays = message.content.array_records["arrays"].to_torch_state_dict()
        zeros = {name: torch.zeros_like(tensor) for name, tensor in arrays.items()}
        metrics = MetricRecord(dict(METRICS))
        link.reply(message_id, answer_to(message, arrays=ArrayRecord(zeros), metrics=metrics))

        _, payload = link.read_task()

        sent = decode(payload).content.array_records["arrays"].to_torch_state_dict()
        assert sent.keys() == zeros.keys()
        assert all(not tensor.any() for tensor in sent.values())
        client = api.clients()["a"]
        assert (client["state"], client["train_loss"], client["samples"]) == ("evaluating", 0.5, 10)

    def test_its_progress_is_shown_and_nonsense_is_not(self, link: RawClient, run_id: str, api: Api) -> None:
        message_id, _ = link.read_task()
        link.send(
            progress=Progress(
                message_id=message_id, done=3, total=9, examples_per_s=float("inf"), loss=float("nan")
            )
        )

        client = wait_until(lambda: (c := api.clients()["a"])["progress"] and c, "there is progress")
        assert client["progress"] == {"done": 3, "total": 9, "examples_per_s": 0.0, "loss": None}
        assert (client["state"], client["round"]) == ("training", 1)

    def test_a_reply_that_is_garbage_fails_the_round_in_words(
        self, link: RawClient, run_id: str, api: Api
    ) -> None:
        message_id, _ = link.read_task()
        link.reply(message_id, b"garbage")

        assert "not a Flower message" in api.wait_for_run(run_id, "failed")["reason"]
        assert api.clients()["a"]["state"] == "idle"

    def test_a_reply_to_another_message_is_not_taken(self, link: RawClient, run_id: str, api: Api) -> None:
        message_id, payload = link.read_task()
        message = decode(payload)
        message.metadata.__dict__["_message_id"] = "another"
        link.reply(message_id, answer_to(message))

        assert "another message" in api.wait_for_run(run_id, "failed")["reason"]

    def test_an_app_that_raised_fails_the_round_with_its_last_line(
        self, link: RawClient, run_id: str, api: Api
    ) -> None:
        message_id, payload = link.read_task()
        failed = client_failed(decode(payload), "Traceback:\n  somewhere\nValueError: no such thing")
        link.reply(message_id, encode(failed))

        assert "(ValueError: no such thing)" in api.wait_for_run(run_id, "failed")["reason"]

    def test_a_client_that_cannot_answer_says_so(self, link: RawClient, run_id: str, api: Api) -> None:
        message_id, _ = link.read_task()
        link.send(failure=Failure(message_id=message_id, reason="I could not read it"))

        wait_until(
            lambda: any("I could not read it" in entry["message"] for entry in api.logs(level="warning")),
            "the log tells the reason",
        )
        assert api.clients()["a"]["state"] in {"idle", "training"}

    def test_a_stop_reaches_it_while_it_works(self, link: RawClient, run_id: str, api: Api) -> None:
        message_id, _ = link.read_task()

        api.stop(run_id)

        cancel = link.read().cancel
        assert cancel.message_id == message_id
        assert cancel.reason == "the run is over"

    @pytest.mark.parametrize(
        ("spoil", "metrics"),
        [
            (lambda arrays: {name: tensor.flatten()[:1] for name, tensor in arrays.items()}, METRICS),
            (lambda arrays: {f"x.{name}": tensor for name, tensor in arrays.items()}, METRICS),
            (lambda arrays: dict(list(arrays.items())[1:]), METRICS),
            (lambda arrays: {name: tensor.to(torch.int64) for name, tensor in arrays.items()}, METRICS),
            (lambda arrays: {name: tensor * float("nan") for name, tensor in arrays.items()}, METRICS),
            (lambda arrays: arrays, {}),
            (lambda arrays: arrays, {**METRICS, "num-examples": 0}),
            (lambda arrays: arrays, {**METRICS, "num-examples": -5}),
        ],
        ids=["shapes", "names", "missing", "dtype", "not finite", "no metrics", "no examples", "negative"],
    )
    def test_an_update_that_does_not_fit_is_left_out(
        self,
        link: RawClient,
        run_id: str,
        api: Api,
        spoil: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]],
        metrics: dict[str, Any],
    ) -> None:
        message_id, payload = link.read_task()
        message = decode(payload)
        arrays = spoil(message.content.array_records["arrays"].to_torch_state_dict())
        link.reply(
            message_id,
            answer_to(message, arrays=ArrayRecord(OrderedDict(arrays)), metrics=MetricRecord(metrics)),
        )

        failed = api.wait_for_run(run_id, "failed", timeout_s=10)

        # It was the only one, so that nothing is left; with others the round would go on.
        assert failed["reason"].startswith("Round 1 failed: no client returned an update (")


def answer_to(message: Message, **content: Any) -> Serialised:
    return encode(Message(RecordDict(content), reply_to=message))
