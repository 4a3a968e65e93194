"""Which state of a file comes after which, and what becomes of two that have not seen each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.files.entry import Entry, outcome
from mesh.files.plan import newest
from mesh.files.version import MAX_COUNTER, Order, Version, VersionUsedUp
from mesh.node import Content

WRITERS = [f"{letter * 7}-{'0' * 16}" for letter in "ABC"]
versions = st.dictionaries(st.sampled_from(WRITERS), st.integers(1, 3), min_size=1).map(Version.of)
contents = st.sampled_from([None, Content(b"1" * 32, 1), Content(b"2" * 32, 1)])
entries = st.builds(
    Entry, st.just("a"), versions, st.sampled_from(WRITERS), st.integers(0, 2), contents, st.booleans()
)

INVERSE = {
    Order.SAME: Order.SAME,
    Order.CONCURRENT: Order.CONCURRENT,
    Order.OLDER: Order.NEWER,
    Order.NEWER: Order.OLDER,
}


@given(versions, versions)
def test_the_order_of_two_is_the_inverse_of_the_other_way(one: Version, other: Version) -> None:
    assert other.compared(one) is INVERSE[one.compared(other)]
    assert (one == other) == (one.compared(other) is Order.SAME)


@given(versions, versions, st.sampled_from(WRITERS))
def test_a_joint_version_has_seen_both_and_a_change_comes_after(
    one: Version, other: Version, writer: str
) -> None:
    joint = one.joined(other)
    assert joint == other.joined(one)
    assert {one.compared(joint), other.compared(joint)} <= {Order.OLDER, Order.SAME}
    assert joint.changed(writer).compared(joint) is Order.NEWER


def test_a_writer_whose_numbers_are_used_up_is_told() -> None:
    with pytest.raises(VersionUsedUp, match="another name"):
        Version.of({WRITERS[0]: MAX_COUNTER}).changed(WRITERS[0])


@given(entries, entries)
def test_nothing_that_is_here_gives_way_to_what_has_not_seen_it_without_being_kept(
    mine: Entry, other: Entry
) -> None:
    result = outcome(mine, other)
    has_gone = not mine.is_deleted and result.entry.content != mine.content
    if has_gone and other.version.compared(mine.version) is not Order.NEWER:
        assert result.is_conflict


@given(entries, entries)
def test_both_ends_of_a_conflict_come_to_the_same_content(mine: Entry, other: Entry) -> None:
    here, there = outcome(mine, other).entry, outcome(other, mine).entry
    again = outcome(here, there).entry, outcome(there, here).entry
    assert again[0].content == again[1].content


@given(entries, entries)
def test_only_who_gives_way_joins_both_versions(mine: Entry, other: Entry) -> None:
    """Else the holder of the state that gives way would see a newer one, and keep no copy beside it."""
    if mine.content != other.content and mine.version.compared(other.version) is Order.CONCURRENT:
        results = [outcome(mine, other), outcome(other, mine)]
        stays = [result for result in results if result.entry in (mine, other)]
        assert len(stays) == 1


@given(st.lists(entries, min_size=1, max_size=4), st.none() | entries)
def test_what_others_say_last_is_nothing_that_one_of_them_has_seen(
    others: list[Entry], mine: Entry | None
) -> None:
    chosen = newest(others, mine)
    if chosen is None:
        assert mine is not None
        assert all(other.version.compared(mine.version) is Order.OLDER for other in others)
        return
    assert not any(chosen.version.compared(other.version) is Order.OLDER for other in others)
    assert mine is None or chosen.version.compared(mine.version) is not Order.OLDER


def test_an_edit_wins_over_a_deletion_that_has_not_seen_it() -> None:
    edit = Entry("a", Version.of({WRITERS[0]: 1}), WRITERS[0], 0, Content(b"1" * 32, 1))
    deletion = Entry("a", Version.of({WRITERS[1]: 1}), WRITERS[1], 9, None)
    assert outcome(edit, deletion).entry == edit
    assert outcome(deletion, edit).entry.content == edit.content
