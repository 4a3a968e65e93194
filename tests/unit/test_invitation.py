"""An invitation survives mails and people, and what is wrong with one is said without its secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.address import Address
from shared.security.invitation import Invitation, InvitationInvalid
from shared.security.key_id import KeyId

KEY = KeyId(bytes(range(32)))
TOKEN = "Tk-_" * 8
INVITATION = Invitation(Address("hospital.example.org", 5050), KEY, TOKEN)
TEXT = str(INVITATION)

hosts = st.sampled_from(["localhost", "example.org", "10.0.0.1", "::1", "2001:db8::5"])
tokens = st.text("ABCxyz0189_-", min_size=16, max_size=128)


@given(hosts, st.integers(1, 65535), st.binary(min_size=32, max_size=32), tokens)
def test_an_invitation_survives_text(host: str, port: int, digest: bytes, token: str) -> None:
    invitation = Invitation(Address(host, port), KeyId(digest), token)

    assert Invitation.parse(str(invitation)) == invitation
    assert len(str(invitation)) < 300, "it has to fit into a QR code that a telephone can read"


@pytest.mark.parametrize(
    "text",
    [
        f"  {TEXT}\n",
        f"<{TEXT}>",
        f"'{TEXT}'",
        TEXT[:40] + "\r\n" + TEXT[40:80] + "\n  " + TEXT[80:],
        TEXT.replace("fedloom://", "FEDLOOM://"),
        TEXT.replace("?", "/?"),
        TEXT.replace(str(KEY).replace("-", ""), str(KEY)),
        TEXT.replace("key=", "label=for+you&key="),
    ],
)
def test_what_mails_and_people_do_to_it_does_no_harm(text: str) -> None:
    assert Invitation.parse(text) == INVITATION


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with fedloom://"),
        ("https://example.org", "begins with fedloom://"),
        (TEXT[:60], "has 20. Copy all of it"),
        (TEXT.replace("key=AAAQE", "key="), "key in the invitation"),
        (TEXT.partition("&")[0], "has no token"),
        (TEXT.partition("?")[0], "has no key"),
        (TEXT.replace("key=", "kex="), "has no key"),
        (TEXT.replace(":5050", ""), "address in the invitation cannot be used"),
        (TEXT.replace(":5050", ":0"), "port from 1 to 65535"),
        (TEXT[:-20], "token in the invitation is cut short"),
        (TEXT + "ü", "token in the invitation is cut short"),
        (TEXT + "&" + TEXT.partition("?")[2], "says something twice"),
        (TEXT.replace("AAAQ", "AABQ"), "mistake in the id of the key"),
        ("fedloom://" + "x" * 5_000, "5,010 characters"),
        (TEXT + "&a=1" * 30, "cannot be read"),
    ],
)
def test_what_is_no_invitation_is_refused_in_words_and_without_the_secret(text: str, complaint: str) -> None:
    with pytest.raises(InvitationInvalid, match=complaint) as caught:
        Invitation.parse(text)
    assert TOKEN[:12] not in str(caught.value)


@given(st.text(max_size=200) | st.text(max_size=120).map("fedloom://".__add__))
def test_any_text_is_an_invitation_or_refused(text: str) -> None:
    try:
        invitation = Invitation.parse(text)
    except InvitationInvalid:
        return
    assert Invitation.parse(str(invitation)) == invitation


def test_the_secret_is_not_in_what_a_log_shows() -> None:
    assert TOKEN not in repr(INVITATION)
    assert TOKEN not in f"{[INVITATION]}"


def test_one_without_a_secret_says_so_itself() -> None:
    open_to_all = Invitation(INVITATION.address, INVITATION.key)

    assert str(open_to_all).endswith("&join=approval")
    assert Invitation.parse(str(open_to_all)) == open_to_all


def test_one_that_has_lost_its_secret_is_not_taken_for_one_without() -> None:
    with pytest.raises(InvitationInvalid, match="has no token"):
        Invitation.parse(TEXT.partition("&token")[0])
