"""LinkGrid waits: for enough replies, for the lost, while paused; a stop ends every wait."""

from __future__ import annotations

import threading
import time

import pytest

from app.federation.grid.link_grid import LinkGrid
from shared.errors import RunStopped
from shared.flower import (
    is_unavailable,
    node_id_of,
)
from tests.support.fake_link import CLIENTS, FakeLink, FakeOwner, Watching, messages_to, names


def test_a_stop_ends_the_wait_for_replies(grid: LinkGrid) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    stopper = threading.Thread(target=grid.stop, args=("stopped by request",))
    stopper.start()

    with pytest.raises(RunStopped, match="stopped by request"):
        next(replies)
    stopper.join()


def test_a_stop_ends_the_wait_for_clients(grid: LinkGrid) -> None:
    grid.stop("the server was shut down")

    with pytest.raises(RunStopped, match="shut down"):
        grid.wait_until(lambda: False)


def test_every_call_after_a_stop_says_that_it_was_stopped(grid: LinkGrid) -> None:
    grid.stop("enough")
    with pytest.raises(RunStopped):
        grid.get_node_ids()

    with pytest.raises(RunStopped, match="enough"):
        grid.get_node_ids()
    with pytest.raises(RunStopped, match="enough"):
        grid.pull_messages([])


def test_the_wait_for_clients_looks_again_when_one_came(grid: LinkGrid, owner: FakeOwner) -> None:
    def both_came() -> bool:
        grid.membership_changed()  # one more comes while the run thread looks
        return len(owner.said) == 2

    grid.wait_until(both_came)

    assert owner.said == ["membership changed"] * 2


def test_after_the_deadline_enough_replies_will_do_and_the_rest_is_late(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.deadline, owner.needed = 0.05, 2
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    link.reply("client-3")
    link.reply("client-1")

    assert names(replies) == ["client-3", "client-1"]
    assert watching.too_late == ["client-2"]
    assert link.withdrawn == {"client-2": "late: the round went on without it"}
    assert owner.said == []


def test_with_too_few_replies_the_deadline_passes_and_the_run_says_for_whom_it_waits(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.deadline, owner.needed = 0.05, 2
    owner.changed = lambda: link.reply("client-3")  # as soon as the run says that it waits
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    link.reply("client-1")

    assert names(replies) == ["client-1", "client-3"]
    waits = "waiting for 1 more reply (1 of 2): client-2 is late; client-3 is late"
    assert owner.said == [waits, "goes on"]
    assert sorted(link.late) == ["client-2", "client-3"]
    assert watching.too_late == ["client-2"]


def test_a_lost_client_does_not_stop_a_round_that_has_enough_replies(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.needed = 1
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.reply("client-2")

    answered, lost = list(replies)

    assert names([answered]) == ["client-2"]
    assert is_unavailable(lost)
    assert lost.error.reason == "client-1 was lost"
    assert lost.metadata.src_node_id == node_id_of("client-1")
    assert owner.said == []
    assert watching.replies == [("client-2", False), ("client-1", True)]


def test_without_enough_replies_a_round_waits_for_the_lost_to_come_back(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed = 2

    def come_back_and_answer() -> None:
        link.come_back("client-1")
        link.reply("client-1")

    owner.changed = come_back_and_answer
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.reply("client-2")

    assert names(replies) == ["client-2", "client-1"]
    assert owner.said == ["waiting for 1 more reply (1 of 2): client-1 is lost", "goes on"]


def test_a_round_whose_clients_are_lost_ends_when_it_can_be_tried_with_others(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed, owner.others_are_there = 1, True
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")
    link.lose("client-2")

    assert all(is_unavailable(reply) for reply in replies)
    assert sorted(link.withdrawn) == ["client-1", "client-2"]


def test_a_client_that_is_away_is_waited_for_while_others_still_compute(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    link.lose("client-1")
    link.reply("client-2")
    assert names([next(replies)]) == ["client-2"]
    link.come_back("client-1")
    link.reply("client-3")
    link.reply("client-1")

    assert names(replies) == ["client-3", "client-1"]
    assert owner.said == []


def test_who_pulls_replies_is_told_at_once_of_a_lost_client(grid: LinkGrid, link: FakeLink) -> None:
    one, two = grid.push_messages(messages_to(grid, "client-1", "client-2"))
    link.lose("client-1")

    (reply,) = grid.pull_messages([one, two])

    assert is_unavailable(reply)
    assert list(link.withdrawn) == ["client-1"]


def test_a_failure_is_an_error_reply_that_does_not_count(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed = 1
    replies = grid.send_and_receive(messages_to(grid, "client-1", "client-2"))
    link.fail("client-1")
    link.fail("client-2")

    assert [reply.error.reason for reply in replies] == ["it could not", "it could not"]


def test_while_paused_replies_wait_and_no_deadline_passes(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.deadline = 0.1
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    grid.pause()

    def later() -> None:
        assert owner.said == ["paused"]
        link.reply("client-1")
        threading.Timer(0.2, grid.resume).start()  # longer than the deadline

    owner.changed = later

    assert names(replies) == ["client-1"]
    assert link.paused == [True, False]
    assert owner.said == ["paused", "resumed"]
    assert watching.too_late == []


def test_while_paused_nothing_is_sent(grid: LinkGrid, owner: FakeOwner, link: FakeLink) -> None:
    messages = messages_to(grid, "client-1")
    grid.pause()
    sent_before: list[bool] = []

    def resume() -> None:
        sent_before.append(bool(link.tasks))
        grid.resume()

    owner.changed = resume

    grid.push_messages(messages)

    assert sent_before == [False]
    assert list(link.tasks) == ["client-1"]


def test_a_paused_run_can_be_stopped(grid: LinkGrid) -> None:
    grid.pause()
    grid.stop("stopped by request")

    with pytest.raises(RunStopped, match="stopped by request"):
        grid.get_node_ids()


def test_after_a_pause_a_run_says_again_for_whom_it_waits(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink
) -> None:
    owner.needed = 1
    waits = "waiting for 1 more reply (0 of 1): client-1 is lost"

    def changed() -> None:
        if owner.said == [waits]:
            grid.pause()
            grid.resume()
        elif owner.said.count(waits) == 2:
            link.come_back("client-1")
            link.reply("client-1")

    owner.changed = changed
    replies = grid.send_and_receive(messages_to(grid, "client-1"), timeout=2)
    link.lose("client-1")

    assert names(replies) == ["client-1"]
    assert owner.said == [waits, "paused", "resumed", waits, "goes on"]


@pytest.mark.parametrize("interrupts", [True, False])
def test_the_first_stop_counts(grid: LinkGrid, interrupts: bool) -> None:
    grid.stop("the first", interrupts=interrupts)
    grid.stop("the second", interrupts=not interrupts)
    with pytest.raises(RunStopped, match="the first"):
        grid.breathe()

    grid.membership_changed()
    with pytest.raises(RunStopped, match="the first"):
        grid.wait_until(lambda: False)
    assert grid.interrupted is interrupts


def test_by_request_a_run_goes_on_with_what_has_come_and_the_rest_is_late(
    grid: LinkGrid, owner: FakeOwner, link: FakeLink, watching: Watching
) -> None:
    owner.needed = 2
    replies = grid.send_and_receive(messages_to(grid, *CLIENTS))
    link.reply("client-3")
    first = next(replies)
    assert grid.lacking("train") == 1

    link.reply("client-1")
    second = next(replies)
    assert (grid.lacking("train"), grid.lacking("evaluate")) == (0, None)
    grid.go_on("train")

    assert names([first, second, *replies]) == ["client-3", "client-1"]
    assert watching.too_late == ["client-2"]
    assert link.withdrawn == {"client-2": "late: the round went on without it"}
    assert grid.lacking("train") is None


def test_a_request_that_comes_late_does_not_end_what_came_after(
    grid: LinkGrid, link: FakeLink, watching: Watching
) -> None:
    before = grid.send_and_receive(messages_to(grid, "client-1"))
    link.reply("client-1")
    waited_for = next(before)
    grid.go_on("train")
    assert names([waited_for, *before]) == ["client-1"]

    after = grid.send_and_receive(messages_to(grid, "client-2"))
    link.reply("client-2")

    assert names(after) == ["client-2"]
    assert watching.too_late == []


def test_while_nothing_comes_the_watcher_catches_up_in_its_time(
    grid: LinkGrid, link: FakeLink, watching: Watching
) -> None:
    replies = grid.send_and_receive(messages_to(grid, "client-1"))
    watching.put_off_until = time.monotonic() + 0.05

    def answer_then() -> None:
        watching.caught_up.wait(60.0)
        link.reply("client-1")

    answering = threading.Thread(target=answer_then)
    answering.start()

    assert names(replies) == ["client-1"]
    assert watching.caught_up.is_set()
    answering.join()
