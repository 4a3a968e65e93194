"""Who may come in, as a pure function: what was decided on a key goes first, then names, then the token."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.enrolment.answers import Answer, TokenState, answer, owner_of, words
from app.records import Member, MembershipState

A, B = "key a", "key b"


def a_member(key: str = A, name: str = "client-1", state: str = "admitted") -> Member:
    return Member(key=key, client_id=name, state=MembershipState(state), since=1.0)


MEMBERS = st.builds(
    a_member,
    key=st.sampled_from([A, B]),
    name=st.sampled_from(["client-1", "client-2"]),
    state=st.sampled_from(["admitted", "rejected", "revoked"]),
)
TOKENS = st.sampled_from(list(TokenState))


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (TokenState.NONE, Answer.WAIT),
        (TokenState.GOOD, Answer.JOIN),
        (TokenState.WRONG, Answer.TOKEN_WRONG),
        (TokenState.EXPIRED, Answer.TOKEN_EXPIRED),
        (TokenState.USED_UP, Answer.TOKEN_USED_UP),
        (TokenState.REVOKED, Answer.TOKEN_REVOKED),
        (TokenState.UNTRIED, Answer.TOO_MANY_TRIES),
    ],
)
def test_for_somebody_new_the_token_decides(token: TokenState, expected: Answer) -> None:
    assert answer("client-1", None, None, token) is expected


@given(token=TOKENS)
def test_a_member_comes_in_whatever_invitation_it_has(token: TokenState) -> None:
    assert answer("client-1", a_member(), a_member(), token) is Answer.ENTER


@given(token=TOKENS)
def test_a_members_key_is_good_for_its_own_name_only(token: TokenState) -> None:
    assert answer("client-2", a_member(), None, token) is Answer.OTHER_NAME


@given(token=TOKENS)
def test_a_name_that_belongs_to_another_key_cannot_be_had_with_an_invitation(token: TokenState) -> None:
    assert answer("client-1", None, a_member(B), token) is Answer.OTHER_KEY
    assert answer("client-1", None, a_member(B, state="revoked"), token) is Answer.OTHER_KEY


@given(token=TOKENS)
def test_an_invitation_does_not_bring_back_a_key_that_was_sent_away(token: TokenState) -> None:
    for state, expected in (("revoked", Answer.REVOKED), ("rejected", Answer.REJECTED)):
        assert answer("client-1", a_member(state=state), None, token) is expected


@given(of_key=st.none() | MEMBERS, owner=st.none() | MEMBERS, token=TOKENS)
def test_nobody_comes_in_but_members_and_the_invited(
    of_key: Member | None, owner: Member | None, token: TokenState
) -> None:
    given_ = answer("client-1", of_key, owner, token)

    if given_ is Answer.ENTER:
        assert of_key is not None
        assert (of_key.state, of_key.client_id) == (MembershipState.ADMITTED, "client-1")
    if given_ is Answer.JOIN:
        assert (of_key, owner, token) == (None, None, TokenState.GOOD)


def test_a_name_belongs_to_the_key_that_is_admitted_or_else_to_the_last_that_was() -> None:
    old, new = a_member(A, state="revoked"), a_member(B)
    older = a_member("key c", state="revoked")

    assert owner_of([older, new, old]) == new
    assert owner_of([older, old]) == old
    assert owner_of([a_member(state="rejected")]) is None
    assert owner_of([]) is None


@pytest.mark.parametrize("given_", [each for each in Answer if each not in (Answer.ENTER, Answer.JOIN)])
def test_who_is_not_let_in_hears_what_to_do_and_nothing_of_anybody_else(given_: Answer) -> None:
    said = words(given_, "client-1", "ABCD-EFGH")

    assert said.endswith(".")
    assert any(advice in said for advice in ("Ask ", "ask ", "Choose ", "Use that name", "is over in"))


def test_who_may_still_be_let_in_goes_on_trying() -> None:
    again = {Answer.ENTER, Answer.JOIN, Answer.WAIT, Answer.CROWDED, Answer.TOO_MANY_TRIES}
    assert {each for each in Answer if not each.is_final} == again - {Answer.ENTER, Answer.JOIN}
