"""What was decided of clients' replies."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from app.records.base import Record


class Verdict(StrEnum):
    """What was decided of a client's reply, before anybody used it."""

    ACCEPTED = "accepted"
    """it is from whom it says, answers what was asked, and fits"""
    BAD_SIGNATURE = "bad_signature"
    """it is not what its client signed, or nobody has signed it"""
    UNKNOWN_KEY = "unknown_key"
    """it is signed by another key than that of the client's name"""
    REVOKED = "revoked"
    """it is signed by a key that is not taken any more"""
    REPLAYED = "replayed"
    """it is not newer than one that was accepted, or answers what was answered before"""
    WRONG_ROUND = "wrong_round"
    """it is signed for another run, or another round of it"""
    WRONG_BASE_MODEL = "wrong_base_model"
    """it was made from another model than the one that was sent"""
    LATE = "late"
    """it came when the round had gone on without it"""
    MALFORMED = "malformed"
    """it is genuine, but cannot be read, or does not fit the model"""
    DECLINED = "declined"
    """the client does not do what was asked, by a rule of its site"""


class Judgement(Record):
    """One reply of a client, and what was decided of it.

    All that its client has signed is here, but the public key and the reply's own bytes. Hashes and the
    signature are in hex; null: the reply was not looked at so far.
    """

    run_id: str | None = Field(
        default=None, description="null: it answers nothing, and its client takes part in no run"
    )
    round: int | None = None
    client_id: str
    key: str = Field(description="the id of the key that the client has shown to own, in groups")
    message_id: str
    kind: str | None = Field(default=None, description="the type of the message that it answers")
    verdict: Verdict
    detail: str | None = Field(default=None, description="why it was not accepted, in words")
    time: float = Field(description="when it was decided")
    bytes: int = Field(default=0, description="of the reply")
    sequence: int | None = Field(default=None, description="its number among the client's replies")
    skeleton_digest: str | None = Field(default=None, description="SHA-256 of all of it but the arrays")
    arrays_digest: str | None = Field(default=None, description="SHA-256 of the data of its arrays")
    base_digest: str | None = Field(
        default=None,
        description="SHA-256 of the arrays of the message, that is of the model it was made from",
    )
    signature: str | None = Field(default=None, description="RSA-PSS by the client's key")
    receipt: str | None = Field(default=None, description="the server's signature under its receipt")


class VerdictEntry(Judgement):
    """The same with its place in the sequence of events."""

    seq: int
