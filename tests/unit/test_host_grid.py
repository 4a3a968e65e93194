"""HostGrid: the grid that an app has in its own process, over the channel to FedLoom's."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Error, Message, RecordDict
from flwr.serverapp import Grid

from app.federation.runs import grid_calls
from shared.app_host import channel
from shared.app_host import grid as host_grid
from shared.app_host.calls import Refused
from shared.flower import empty_run, identify_server_task, node_id_of
from tests.support.fake_link import CLIENTS, RUN_ID
from tests.support.hosted import Lab
from tests.support.waiting import wait_until

NODES = [node_id_of(client_id) for client_id in CLIENTS]


@pytest.fixture
def lab() -> Lab:
    identify_server_task(RUN_ID)
    return Lab()


def messages(number: int = 1, *nodes: int, ttl: float | None = None) -> list[Message]:
    """For each of these nodes, or all, one with the same model."""
    content = RecordDict(
        {
            "arrays": ArrayRecord([np.full(50_000, number, np.float32)]),
            "config": ConfigRecord({"server-round": number}),
        }
    )
    return [Message(content, node, "train", ttl=ttl) for node in nodes or NODES]


def senders(replies: Any) -> list[int]:
    return [reply.metadata.src_node_id for reply in replies]


def send_each(grid: Grid, nodes: list[int]) -> None:
    """Send to each node from a thread of its own: one that sends again waits for what it sent before."""
    threads = [threading.Thread(target=grid.send_and_receive, args=(messages(1, node),)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_an_app_finds_the_clients_and_gets_their_replies(lab: Lab) -> None:
    def app(grid: Grid) -> tuple[Any, ...]:
        nodes = list(grid.get_node_ids())
        replies = grid.send_and_receive(messages(7))
        return nodes, [node.node_id for node in grid.get_nodes()], list(replies)

    nodes, same_nodes, replies = lab.result(app)

    assert nodes == same_nodes == NODES
    assert sorted(senders(replies)) == sorted(NODES)
    for reply in replies:
        (array,) = reply.content.array_records["arrays"].to_numpy_ndarrays()
        assert (array == 7).all()
        assert reply.content.metric_records["metrics"]["loss"] == 0.5
    assert lab.watching.sent_to == [CLIENTS]


def test_the_content_that_messages_share_is_serialised_once_for_the_link(lab: Lab) -> None:
    lab.result(lambda grid: (grid.get_node_ids(), list(grid.send_and_receive(messages()))))

    first, *others = (lab.link.tasks[client_id].content for client_id in CLIENTS)
    assert all(content is first for content in others)


def test_the_apps_own_messages_get_the_ids_under_which_they_were_sent(lab: Lab) -> None:
    def app(grid: Grid) -> tuple[Any, ...]:
        grid.get_node_ids()
        asked, pushed = messages(1), messages(2)
        replies = list(grid.send_and_receive(asked))
        ids = list(grid.push_messages(pushed))
        return asked, replies, pushed, ids

    asked, replies, pushed, ids = lab.result(app)

    sent = [task.message_id for task in lab.link.tasks_in_order]
    assert [message.metadata.message_id for message in [*asked, *pushed]] == sent
    assert ids == sent[3:]
    assert sorted(reply.metadata.reply_to_message_id for reply in replies) == sorted(sent[:3])


def test_pushed_messages_are_pulled_once_each(lab: Lab) -> None:
    lab.link.silent = {"client-3"}

    def app(grid: Grid) -> list[list[int]]:
        grid.get_node_ids()
        ids = grid.push_messages(messages())
        first = list(grid.pull_messages(ids))
        lab.link.answer("client-3")
        return [senders(pulled) for pulled in (first, grid.pull_messages(ids), grid.pull_messages(ids))]

    assert lab.result(app) == [NODES[:2], NODES[2:], []]


def test_replies_stream_in_while_others_are_awaited(lab: Lab) -> None:
    lab.link.silent = {"client-2"}

    def app(grid: Grid) -> tuple[list[int], int]:
        grid.get_node_ids()
        replies = grid.send_and_receive(messages())
        first_pass = iter(replies)
        early = senders([next(first_pass), next(first_pass)])
        lab.link.answer("client-2")
        return [*early, *senders(first_pass)], len(replies)  # type: ignore[arg-type]

    order, length = lab.result(app)

    assert order[-1] == node_id_of("client-2")
    assert length == 3


def test_a_deadline_holds_whether_or_not_the_app_looks(lab: Lab) -> None:
    lab.link.silent = {"client-2"}
    lab.owner.deadline = 0.05

    def app(grid: Grid) -> list[int]:
        grid.get_node_ids()
        replies = grid.send_and_receive(messages())
        wait_until(lambda: lab.watching.too_late, "the client is too late, while the app does other things")
        return senders(replies)

    assert sorted(lab.result(app)) == sorted([NODES[0], NODES[2]])


def test_a_timeout_ends_the_exchange_without_those_who_are_silent(lab: Lab) -> None:
    lab.link.silent = set(CLIENTS)

    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        return grid.send_and_receive(messages(), timeout=0.05)

    assert lab.result(app) == []
    assert sorted(lab.link.withdrawn) == CLIENTS


@pytest.mark.parametrize(
    ("timeout", "ttl"),
    [(float("inf"), None), (1e300, None), (None, float("inf")), (None, 1e15), (10**9, 1e15)],
)
def test_a_time_without_end_may_be_waited(lab: Lab, timeout: float | None, ttl: float | None) -> None:
    lab.link.silent = set(CLIENTS)

    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        replies = grid.send_and_receive(messages(ttl=ttl), timeout=timeout)
        for client_id in CLIENTS:
            lab.link.answer(client_id)
        return senders(replies)

    assert sorted(lab.result(app)) == sorted(NODES)


def test_an_app_is_not_done_before_the_replies_to_what_any_of_its_threads_has_sent(lab: Lab) -> None:
    lab.link.silent = set(CLIENTS)

    def answer() -> None:
        for client_id in CLIENTS:
            lab.link.answer(client_id)

    def app(grid: Grid) -> None:
        grid.get_node_ids()
        send_each(grid, NODES)
        threading.Timer(0.2, answer).start()

    lab.result(app)

    assert not lab.link.withdrawn


def test_a_message_that_has_outlived_its_time_has_an_error_in_place_of_a_reply(lab: Lab) -> None:
    lab.link.silent = {"client-1"}

    def app(grid: Grid) -> tuple[Any, ...]:
        grid.get_node_ids()
        asked = list(grid.send_and_receive(messages(ttl=0.2)))
        ids = grid.push_messages(messages(2, ttl=0.2))
        pulled: list[Message] = []

        def pull() -> bool:
            pulled.extend(grid.pull_messages(ids))
            return len(pulled) == 3

        wait_until(pull, "all have a reply")
        return asked, pulled

    for replies in lab.result(app):
        (expired,) = [reply for reply in replies if reply.has_error()]
        assert expired.metadata.src_node_id == node_id_of("client-1")
        assert expired.error.reason == "No reply came in the message's time to live of 0.2 s."
        assert len(replies) == 3


def test_an_error_of_a_client_is_a_reply(lab: Lab) -> None:
    lab.link.silent = {"client-1"}

    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        replies = grid.send_and_receive(messages(1, NODES[0]))
        lab.link.fail("client-1")
        return replies

    (reply,) = lab.result(app)

    assert reply.error.reason == "it could not"


def test_a_node_that_is_not_there_is_refused_in_words_and_the_app_goes_on(lab: Lab) -> None:
    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        for call in (grid.send_and_receive, grid.push_messages):
            with pytest.raises(ValueError, match="There is no node 5 on this grid; take node ids from"):
                call(messages(1, NODES[0], 5))
        return list(grid.send_and_receive(messages()))

    assert len(lab.result(app)) == 3
    assert lab.watching.sent_to == [CLIENTS]


def without_content() -> Message:
    (message,) = messages(1, NODES[0])
    message.content = None  # type: ignore[assignment]
    return message


def with_an_error() -> Message:
    return Message(Error(code=2, reason="no"), reply_to=messages(1, NODES[0])[0])


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        (without_content, ValueError, "has no content"),
        (with_an_error, ValueError, "has no content"),
        (lambda: messages(1, NODES[0], ttl=-1.0)[0], ValueError, "has a ttl of -1.0 seconds"),
        (lambda: "train", TypeError, "this is a str"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_it_is(
    lab: Lab, what: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        lab.result(lambda grid: grid.send_and_receive([what()]))
    assert lab.watching.sent_to == []


def test_nothing_to_send_is_no_exchange(lab: Lab) -> None:
    def app(grid: Grid) -> Any:
        return grid.send_and_receive([]), grid.push_messages([]), grid.pull_messages([])

    assert lab.result(app) == ([], [], [])
    assert lab.watching.sent_to == []


def test_messages_may_come_from_a_generator(lab: Lab) -> None:
    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        return grid.send_and_receive(message for message in messages())

    assert len(lab.result(app)) == 3


def test_threads_of_an_app_ask_each_client_for_itself(lab: Lab) -> None:
    def app(grid: Grid) -> list[list[int]]:
        grid.get_node_ids()
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(lambda node: senders(grid.send_and_receive(messages(1, node))), NODES))

    assert lab.result(app) == [[node] for node in NODES]


def test_a_thread_that_sends_again_has_first_waited_for_what_it_sent_before(lab: Lab) -> None:
    lab.link.silent = {"client-1"}

    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        grid.send_and_receive(messages(1, NODES[0]))
        threading.Timer(0.1, lab.link.answer, ("client-1",)).start()
        return len(grid.send_and_receive(messages(2, NODES[1])))  # type: ignore[arg-type]

    assert lab.result(app) == 1
    assert [replier for replier, _ in lab.watching.replies] == ["client-1", "client-2"]


def test_an_app_that_ends_without_a_look_at_its_replies_has_waited_for_them(lab: Lab) -> None:
    lab.link.silent = {"client-1"}

    def main(grid: Grid, context: Context) -> None:
        grid.get_node_ids()
        grid.send_and_receive(messages(1, NODES[0]))
        threading.Timer(0.1, lab.link.answer, ("client-1",)).start()

    lab.run(main)

    assert lab.watching.replies == [("client-1", False)]


def test_the_grid_knows_its_run_as_flowers_does(lab: Lab) -> None:
    def app(grid: Grid) -> Any:
        before = grid.run
        before.fab_id = "a copy's"
        grid.set_run(empty_run(5))
        with pytest.raises(TypeError, match="must be an instance of Run, got int"):
            grid.set_run(6)  # type: ignore[arg-type]
        message = grid.create_message(RecordDict(), "train", 3, "9", ttl=5.0)
        return before.run_id, grid.run.run_id, vars(message.metadata)

    before, after, metadata = lab.result(app)

    assert (before, after) == (RUN_ID, 5)
    assert (metadata["_dst_node_id"], metadata["_group_id"], metadata["_ttl"]) == (3, "9", 5.0)


def test_who_asks_twice_in_a_row_who_is_there_asks_the_server_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    lab.owner.looks_for_clients = lambda: looked.append("looked")
    monkeypatch.setattr(host_grid, "FRESH_S", 3600.0)

    def app(grid: Grid) -> list[int]:
        counts = []
        for act in (lambda: None, lambda: list(grid.send_and_receive(messages()))):
            act()
            first, second = list(grid.get_node_ids()), list(grid.get_node_ids())
            assert first == second == NODES
            first.clear()  # the app's own
            counts.append(len(looked))
        monkeypatch.setattr(host_grid, "FRESH_S", -1.0)  # what was said is no longer fresh
        assert list(grid.get_node_ids()) == NODES
        return [*counts, len(looked)]

    assert lab.result(app) == [1, 2, 3]


def test_arrays_that_cannot_be_read_are_an_error_reply(lab: Lab) -> None:
    broken = Array("float32", (2,), "numpy.ndarray", b"no array")

    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        content = RecordDict({"arrays": ArrayRecord(OrderedDict(w=broken))})  # which clients send back
        return list(grid.send_and_receive([Message(content, NODES[0], "train")]))

    (reply,) = lab.result(app)
    assert reply.has_error()
    assert "arrays.w is not a NumPy array" in reply.error.reason


def test_more_calls_at_once_than_are_served_are_refused_in_words(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid_calls, "MAX_CALLS", 2)
    lab.link.silent = set(CLIENTS)

    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        send_each(grid, NODES[:2])
        with pytest.raises(Refused, match="More than 2 calls of the grid at once"):
            grid.get_node_ids()
        for client_id in CLIENTS[:2]:
            lab.link.answer(client_id)

    lab.result(app)


def test_a_child_of_the_app_has_no_grid(lab: Lab) -> None:
    def app(grid: Grid) -> Any:
        real = os.getpid
        try:
            os.getpid = lambda: real() + 1  # as in a child that was forked
            with pytest.raises(Refused, match="a child of that"):
                grid.get_node_ids()
        finally:
            os.getpid = real

    lab.result(app)


def test_a_timeout_may_be_for_ever_or_no_number_at_all(lab: Lab) -> None:
    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        lengths = []
        for timeout in (float("inf"), 1e300, 10**400, 3600):
            replies: Any = grid.send_and_receive(messages(ttl=1e300), timeout=timeout)
            lengths.append(len(replies))
        lab.link.silent = set(CLIENTS)
        for timeout in (float("nan"), -1.0, 0):
            replies = grid.send_and_receive(messages(), timeout=timeout)
            lengths.append(len(replies))
        return lengths

    assert lab.result(app) == [3, 3, 3, 3, 0, 0, 0]


def test_more_parts_than_a_frame_can_have_are_refused_before_they_are_sent(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel, "MAX_HEADER_BYTES", 2_000)

    def app(grid: Grid) -> Any:
        grid.get_node_ids()
        wide = RecordDict({"arrays": ArrayRecord([np.zeros(1)] * 1_000)})
        with pytest.raises(ValueError, match="is of too many parts"):
            grid.push_messages([Message(wide, NODES[0], "train")])

    lab.result(app)
