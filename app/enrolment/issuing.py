"""Issuing: an invitation as somebody wishes it, and as it is handed out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.enrolment.enrolment import Enrolment
from app.records import InvitationKind, IssuedInvitation
from shared.address import ANY_ADDRESS, Address, bracketed, parse_address
from shared.errors import SettingsInvalid
from shared.security.invitation import Invitation
from shared.security.key_id import KeyId
from shared.text import printable

DAY_S = 86_400
DEFAULT_EXPIRES_S = 7 * DAY_S
LONGEST_S = 3650 * DAY_S
MAX_LABEL = 100

APPROVAL = "approval"


class InvitationWish(BaseModel):
    """What an invitation is to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: InvitationKind | Literal["approval"] = Field(
        default=InvitationKind.ONE_OFF,
        description="one-off: for one client; reusable: for any number; ephemeral: the same, for clients "
        "that are forgotten when they leave; approval: without a secret, so that whoever comes by it waits "
        "to be approved",
    )
    label: str = Field(default="", max_length=MAX_LABEL, description="for whom it is, in words")
    expires_s: int | None = Field(
        default=DEFAULT_EXPIRES_S,
        ge=1,
        le=LONGEST_S,
        description="seconds from now; null: it does not expire",
    )
    max_uses: int | None = Field(
        default=None, ge=1, le=1_000_000, description="clients that may join by it; null: any number"
    )
    host: str | None = Field(
        default=None,
        max_length=255,
        description="the name or address at which clients reach this machine; null: the one it listens on",
    )

    mesh: bool = Field(
        default=False,
        description="whether the command by which one joins has the client take part in the mesh; the site "
        "decides",
    )

    @field_validator("label")
    @classmethod
    def _one_line(cls, label: str) -> str:
        if not label.isprintable():
            raise ValueError("a label is one line that can be printed")
        return printable(label)

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.max_uses is not None and self.kind in (InvitationKind.ONE_OFF, APPROVAL):
            raise ValueError("a limit of uses is for reusable and ephemeral invitations")
        if self.kind == APPROVAL and self.model_fields_set & {"label", "expires_s"}:
            raise ValueError(
                "an invitation to wait for approval is not kept, and so has no label and does not expire"
            )
        return self


@dataclass(frozen=True)
class Handed:
    """An invitation as it is handed out, once. `issued` None: nothing of it is kept."""

    issued: IssuedInvitation | None
    text: str


def issue(wish: InvitationWish, enrolment: Enrolment, key: KeyId, place: Address) -> Handed:
    """Make an invitation to the server with this key, which listens at `place`. Blocks.

    Raises SettingsInvalid for a host that clients cannot use, and StoreUnavailable.
    """
    address = address_for_clients(wish.host, place)
    if not isinstance(wish.kind, InvitationKind):
        return Handed(None, str(Invitation(address, key)))
    expires_at = None if wish.expires_s is None else time.time() + wish.expires_s
    issued, token = enrolment.invite(wish.kind, wish.label, expires_at, wish.max_uses)
    return Handed(issued, str(Invitation(address, key, token)))


def address_for_clients(host: str | None, place: Address) -> Address:
    """Where clients find a server that listens at `place`, on a machine that they know as `host`. Raises
    SettingsInvalid."""
    if host is None:
        if place.host in ANY_ADDRESS:
            raise SettingsInvalid(
                "The server listens on all addresses of its machine. Say by which name or address clients "
                "reach it.",
                "host",
            )
        return place
    try:
        address = parse_address(f"{bracketed(host)}:{place.port}")
    except ValueError as error:
        raise SettingsInvalid(f"{host!r} is not a name or address of a machine", "host") from error
    if address.host in ANY_ADDRESS:
        raise SettingsInvalid(f"nobody can connect to {host!r}, which stands for all addresses", "host")
    return address
