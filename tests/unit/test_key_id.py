"""A key's id: the same on paper and in memory, and a slip of the pen is found."""

from __future__ import annotations

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.security.key_id import KeyId, KeyIdInvalid

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
digests = st.binary(min_size=32, max_size=32)


@given(digests)
def test_an_id_survives_paper(digest: bytes) -> None:
    text = str(KeyId(digest))

    assert [len(group) for group in text.split("-")] == [7] * 8
    for written in (text, text.lower(), text.replace("-", ""), text.replace("-", " - "), f"  {text}\n"):
        assert KeyId.parse(written).digest == digest


@given(digests)
def test_digits_that_look_like_letters_are_taken_for_them(digest: bytes) -> None:
    text = str(KeyId(digest))

    assert KeyId.parse(text.replace("O", "0").replace("I", "1").replace("B", "8")).digest == digest


@given(digests, st.integers(0, 55), st.sampled_from(LETTERS))
def test_one_wrong_letter_is_found_and_its_groups_are_named(digest: bytes, place: int, letter: str) -> None:
    letters = str(KeyId(digest)).replace("-", "")
    assume(letters[place] != letter)
    wrong = letters[:place] + letter + letters[place + 1 :]

    with pytest.raises(KeyIdInvalid, match=f"groups {place // 14 * 2 + 1} and {place // 14 * 2 + 2} of 8"):
        KeyId.parse(wrong)


@given(digests, st.integers(0, 54))
def test_two_letters_that_changed_places_are_found(digest: bytes, place: int) -> None:
    letters = str(KeyId(digest)).replace("-", "")
    one, other = letters[place], letters[place + 1]
    assume(one != other)
    assume({one, other} != {"A", "7"})
    assume(place % 14 != 13)  # across two parts it is found as well, but for chance

    with pytest.raises(KeyIdInvalid):
        KeyId.parse(letters[:place] + other + one + letters[place + 2 :])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has 56 letters and digits, and this has 0"),
        ("ABC", "this has 3"),
        ("A" * 57, "this has 57"),
        ("ä" * 56, "has no 'Ä'"),
        ("A" * 55 + "9", "has no '9'"),
        ("A" * 55 + "\0", "has no"),
    ],
)
def test_what_is_no_id_is_refused_in_words(text: str, complaint: str) -> None:
    with pytest.raises(KeyIdInvalid, match=complaint):
        KeyId.parse(text)


@given(st.text(max_size=80))
def test_any_text_is_an_id_or_refused(text: str) -> None:
    try:
        key_id = KeyId.parse(text)
    except KeyIdInvalid:
        return
    assert KeyId.parse(str(key_id)) == key_id


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_digest_of_another_size_is_none(size: int) -> None:
    with pytest.raises(KeyIdInvalid, match=f"this has {size}"):
        KeyId(bytes(size))


def test_a_check_letter_is_luhns() -> None:
    """By hand: from the right, letters count twice, once, twice …; what is above 32 is added to the rest."""
    digest = base64.b32decode("B" + "A" * 51 + "====")

    assert str(KeyId(digest)).startswith("BAAAAAA-AAAAAA6")


def test_the_short_form_is_the_beginning() -> None:
    key_id = KeyId.of(b"a key")

    assert key_id.short.replace("-", "") == str(key_id).replace("-", "")[:8]
