from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import printable

ANY_TEXT = st.text(st.characters(exclude_categories=()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Bär 🐻", "Bär 🐻"),
        ("/data/B\udce4r.csv", "/data/B\ufffdr.csv"),
        ("\ud83d\udc3b", "🐻"),
        ("\udc3b\ud83d", "\ufffd\ufffd"),
        ("\ufeffa byte order mark", "\ufeffa byte order mark"),
    ],
)
def test_what_is_no_utf_8_is_shown_as_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(ANY_TEXT)
def test_any_text_can_be_encoded_afterwards_and_is_not_changed_again(text: str) -> None:
    assert printable(text).encode().decode() == printable(text)
    assert printable(printable(text)) == printable(text)


@given(st.text())
def test_text_that_is_utf_8_stays_as_it_is(text: str) -> None:
    assert printable(text) == text
