"""EnrolmentStore: members and invitations, written before anybody is told that they may come in."""

from __future__ import annotations

import threading

from sqlalchemy import delete, insert, or_, select, update

from app.records import IssuedInvitation, Member
from app.store import rows
from app.store.database import Database
from app.store.models import InvitationRow, MemberRow

MEMBERS = rows.table_of(MemberRow)
INVITATIONS = rows.table_of(InvitationRow)


class NotOpen(Exception):
    """An invitation has no use left, or is revoked."""


class EnrolmentStore:
    """Of one store. Safe from any thread; all methods raise StoreUnavailable, and return once what they do is
    on the disk."""

    def __init__(self, database: Database, turn: threading.Lock) -> None:
        """`turn`: held while something is written."""
        self._database = database
        self._turn = turn

    def members(self) -> list[Member]:
        """All keys on which something was decided, the oldest decision first."""
        with self._database.reading() as connection:
            found = connection.execute(select(MEMBERS).order_by(MEMBERS.c.since, MEMBERS.c.key)).mappings()
            return [rows.to_member(row) for row in found]

    def invitations(self) -> dict[str, IssuedInvitation]:
        """All invitations by the hashes of their tokens, oldest first."""
        oldest_first = select(INVITATIONS).order_by(INVITATIONS.c.created_at, INVITATIONS.c.id)
        with self._database.reading() as connection:
            return {
                row["token_hash"]: rows.to_invitation(row)
                for row in connection.execute(oldest_first).mappings()
            }

    def put(self, *members: Member) -> None:
        """Keep what was decided on these keys, in place of what was."""
        with self._turn, self._database.writing() as connection:
            connection.execute(delete(MEMBERS).where(MEMBERS.c.key.in_([member.key for member in members])))
            connection.execute(insert(MEMBERS), [member.model_dump(mode="json") for member in members])

    def join(self, member: Member) -> None:
        """Keep a new member, and that its invitation, if it has one, was used once more: both or neither.

        Raises NotOpen when that invitation has no use left.
        """
        with self._turn, self._database.writing() as connection:
            if member.invitation is not None:
                used = connection.execute(
                    update(INVITATIONS)
                    .where(
                        INVITATIONS.c.id == member.invitation,
                        INVITATIONS.c.revoked_at.is_(None),
                        or_(INVITATIONS.c.max_uses.is_(None), INVITATIONS.c.uses < INVITATIONS.c.max_uses),
                    )
                    .values(uses=INVITATIONS.c.uses + 1)
                )
                if used.rowcount != 1:
                    raise NotOpen
            connection.execute(insert(MEMBERS), [member.model_dump(mode="json")])

    def forget(self, key: str) -> None:
        """Nothing is decided on this key any more."""
        with self._turn, self._database.writing() as connection:
            connection.execute(delete(MEMBERS).where(MEMBERS.c.key == key))

    def add(self, invitation: IssuedInvitation, token_hash: str) -> None:
        """Keep a new invitation."""
        row = {**invitation.model_dump(mode="json"), "token_hash": token_hash}
        with self._turn, self._database.writing() as connection:
            connection.execute(insert(INVITATIONS), [row])

    def revoke(self, invitation_id: str, at: float) -> None:
        """Nobody may join by this invitation any more."""
        of_it = INVITATIONS.c.id == invitation_id
        with self._turn, self._database.writing() as connection:
            connection.execute(update(INVITATIONS).where(of_it).values(revoked_at=at))
