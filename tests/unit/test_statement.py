"""What is signed says one thing only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.statement import Field, Purpose, statement

fields = st.lists(st.one_of(st.binary(max_size=9), st.text(max_size=9), st.integers()), max_size=4)
purposes = st.sampled_from(Purpose)


@given(purposes, fields, purposes, fields)
def test_two_statements_are_the_same_only_if_they_say_the_same(
    one: Purpose, ones: list[Field], other: Purpose, others: list[Field]
) -> None:
    are_same = (one, list(map(_with_kind, ones))) == (other, list(map(_with_kind, others)))

    assert (statement(one, *ones) == statement(other, *others)) is are_same


def _with_kind(field: Field) -> tuple[type, Field]:
    return type(field), field


def test_where_a_field_ends_is_part_of_it() -> None:
    assert statement(Purpose.UPDATE, "ab", "c") != statement(Purpose.UPDATE, "a", "bc")
    assert statement(Purpose.UPDATE, b"1") != statement(Purpose.UPDATE, 1) != statement(Purpose.UPDATE, "1")


def test_the_encoding_is_written_down() -> None:
    assert statement(Purpose.UPDATE, b"\0", "ü", -3) == (
        b"s\0\0\0\0\0\0\0\x11fedloom/update/v1"
        b"b\0\0\0\0\0\0\0\x01\0"
        b"s\0\0\0\0\0\0\0\x02\xc3\xbc"
        b"i\0\0\0\0\0\0\0\x02-3"
    )


def test_yes_and_no_are_no_fields() -> None:
    with pytest.raises(TypeError):
        statement(Purpose.UPDATE, True)
