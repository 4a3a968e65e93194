"""Whether somebody may come in: a pure function of what is known of their key, name and token.

The answer is a code; `words` says it to the person at the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from app.records import InvitationState, Member, MembershipState


class TokenState(StrEnum):
    """What a token is worth."""

    NONE = "none"
    """none was given"""
    GOOD = "good"
    WRONG = "wrong"
    EXPIRED = "expired"
    USED_UP = "used-up"
    REVOKED = "revoked"
    UNTRIED = "untried"
    """too many wrong ones have come from its address to look at it"""


class Answer(StrEnum):
    """To somebody who has shown to own a key, and asks to come in under a name."""

    ENTER = "enter"
    """a member, whom nothing has to be kept of"""
    JOIN = "join"
    """invited: to be kept as a member first"""
    WAIT = "wait"
    """for an administrator"""
    CROWDED = "crowded"
    """too many wait already"""
    OTHER_KEY = "other-key"
    """the name belongs to another key"""
    OTHER_NAME = "other-name"
    """the key belongs to another name"""
    REJECTED = "rejected"
    REVOKED = "revoked"
    TOKEN_WRONG = "token-wrong"
    TOKEN_EXPIRED = "token-expired"
    TOKEN_USED_UP = "token-used-up"
    TOKEN_REVOKED = "token-revoked"
    TOO_MANY_TRIES = "too-many-tries"

    @property
    def is_final(self) -> bool:
        """Whether trying again cannot help, so that the client ends."""
        return self not in (Answer.WAIT, Answer.CROWDED, Answer.TOO_MANY_TRIES)


_OF_TOKEN = {
    TokenState.NONE: Answer.WAIT,
    TokenState.GOOD: Answer.JOIN,
    TokenState.WRONG: Answer.TOKEN_WRONG,
    TokenState.EXPIRED: Answer.TOKEN_EXPIRED,
    TokenState.USED_UP: Answer.TOKEN_USED_UP,
    TokenState.REVOKED: Answer.TOKEN_REVOKED,
    TokenState.UNTRIED: Answer.TOO_MANY_TRIES,
}

OF_INVITATION = {
    InvitationState.OPEN: TokenState.GOOD,
    InvitationState.USED_UP: TokenState.USED_UP,
    InvitationState.EXPIRED: TokenState.EXPIRED,
    InvitationState.REVOKED: TokenState.REVOKED,
}


def answer(name: str, of_key: Member | None, owner: Member | None, token: TokenState) -> Answer:
    """What is decided on a key goes before everything else, then whose the name is, then the token.

    `of_key`: what was decided on the key that asks; `owner`: see `owner_of`.
    """
    if of_key is not None:
        match of_key.state:
            case MembershipState.ADMITTED:
                return Answer.ENTER if of_key.client_id == name else Answer.OTHER_NAME
            case MembershipState.REVOKED:
                return Answer.REVOKED
            case MembershipState.REJECTED | MembershipState.PENDING:
                return Answer.REJECTED
    if owner is not None:
        return Answer.OTHER_KEY
    return _OF_TOKEN[token]


def owner_of(members: Sequence[Member]) -> Member | None:
    """Whose a name is, of all members who have it, in the order of decisions: the one that is admitted, or
    else the last that was. A key that was rejected takes no name away from anybody."""
    for state in (MembershipState.ADMITTED, MembershipState.REVOKED):
        for member in reversed(members):
            if member.state is state:
                return member
    return None


def words(given: Answer, name: str, key: str) -> str:
    """Why somebody is not let in, and what to do. `key`: the short form of theirs."""
    match given:
        case Answer.WAIT:
            return (
                f"This server does not know the key {key} yet. Ask whoever runs the server to approve "
                f"{name!r}, and tell them these eight letters by another way, for them to compare."
            )
        case Answer.CROWDED:
            return (
                "This server does not know this client, and too many wait to be approved already. Ask "
                "whoever runs it for an invitation."
            )
        case Answer.OTHER_KEY:
            return (
                f"The name {name!r} belongs to a client with another key, and this one has the key {key}. "
                "Choose another --client-id, or restore the key that you had. If it is lost, whoever runs "
                f"the server can re-admit {name!r} with the key {key}; then start the client again."
            )
        case Answer.OTHER_NAME:
            return (
                f"The key {key} belongs to a client with another name than {name!r}. Use that name, or a key "
                "of its own: one is made for each --client-id."
            )
        case Answer.REJECTED:
            return (
                f"Whoever runs this server has rejected the key {key} of {name!r}. If that was a mistake, "
                "ask them to re-admit it, and start the client again."
            )
        case Answer.REVOKED:
            return (
                f"Whoever runs this server has revoked the key {key} of {name!r}. Ask them why; once they "
                "have re-admitted it, start the client again."
            )
        case Answer.TOKEN_WRONG:
            return "This server has not made this invitation, or it was changed on the way. " + _ASK_FOR_NEW
        case Answer.TOKEN_EXPIRED:
            return "This invitation has expired. " + _ASK_FOR_NEW
        case Answer.TOKEN_USED_UP:
            return "This invitation was used already, as often as it may be. " + _ASK_FOR_NEW
        case Answer.TOKEN_REVOKED:
            return "This invitation was revoked. " + _ASK_FOR_NEW
        case Answer.TOO_MANY_TRIES:
            return (
                "Too many invitations that are none have come from this network address, so this one was not "
                "looked at. That is over in a few minutes."
            )
        case Answer.ENTER | Answer.JOIN:
            raise ValueError(f"{given} keeps nobody out")


_ASK_FOR_NEW = "Ask whoever runs the server for a new one (python -m app.invite)."
