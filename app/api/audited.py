"""What people and programs do over the page and REST, as entries of the audit log."""

from __future__ import annotations

from flask import request

from app.api.access import client_address, current
from app.api.reply import env
from app.audit.decided import Decision
from app.audit.entry import Kind
from app.auth.identity import By, Identity
from app.auth.limits import site_of


def audited(kind: Kind, *, by: str | None = None, **fields: object) -> None:
    """Enter what was done. `by`: whoever did it, where that is not who sent the request."""
    env().audit.record(kind, by=by or who(current()), address=client_address(request), **fields)


def decided(decision: Decision) -> None:
    """Enter a decision on who may join, or on the server's key."""
    audited(decision.kind, **decision.fields)


def downloaded(what: str, **about: str | int) -> None:
    """Enter that somebody takes something away."""
    audited(Kind.DOWNLOADED, by=who(current()), what=what, **about)


def commanded(run_id: str, command: str) -> None:
    """Enter that somebody has told a run to do something; before it is waited for the disk."""
    audited(Kind.RUN_COMMANDED, run=run_id, command=command)


def login_refused(reason: str, user: str | None = None) -> None:
    """Enter that somebody was not let in. `user`: only one that there is, since what else is typed as a name
    may be a password."""
    env().login_refusals.add(reason, user=user, address=site_of(client_address(request)))


def who(identity: Identity) -> str:
    """Somebody as an entry names them: two tokens can have the same label."""
    return f"{identity} (token {identity.credential.id})" if identity.by is By.TOKEN else str(identity)
