"""/api/v1/invitations: who is invited, and new invitations."""

from __future__ import annotations

import time
from http import HTTPStatus

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.audited import decided
from app.api.problems import Problem, field_invalid, not_found, problem
from app.api.reply import env, reply
from app.audit.decided import Decision
from app.auth.roles import Role, needs
from app.enrolment.enrolment import NotKnown
from app.enrolment.issuing import InvitationWish, issue
from app.records import InvitationState, IssuedInvitation
from shared import qr
from shared.errors import SettingsInvalid, StoreUnavailable

invitations_api = APIBlueprint(
    "invitations",
    __name__,
    url_prefix="/api/v1/invitations",
    abp_tags=[Tag(name="invitations", description="Invitations to join as a client")],
)


class ListedInvitation(BaseModel):
    invitation: IssuedInvitation
    state: InvitationState = Field(description="whether somebody may join by it now")


class InvitationList(BaseModel):
    invitations: list[ListedInvitation]


class NewInvitation(BaseModel):
    """The secret is in `text`, `command` and `qr`, and cannot be asked for again."""

    invitation: IssuedInvitation | None = Field(description="null: one to wait for approval is not kept")
    text: str = Field(description="what the site is sent")
    command: str = Field(description="what to type there")
    qr: str = Field(description="the text as QR code: an SVG picture")


class InvitationPath(BaseModel):
    invitation_id: str = Field(description="an invitation's id")


@invitations_api.get("", summary="All invitations, newest first", responses={200: InvitationList})
@needs(Role.ADMIN)
def list_invitations() -> Response:
    return reply(InvitationList(invitations=[_listed(each) for each in env().enrolment.invitations()]))


@invitations_api.post(
    "", summary="Make an invitation", responses={201: NewInvitation, 422: Problem, 503: Problem}
)
@needs(Role.ADMIN)
def create_invitation(body: InvitationWish) -> Response:
    """Only a hash of its secret is kept. Whoever has it can join: send it to the site that you invite, and to
    nobody else."""
    try:
        handed = issue(body, env().enrolment, env().identity.key.public.id, env().link_address)
    except SettingsInvalid as error:
        return field_invalid(error.field, str(error))
    except StoreUnavailable as error:
        return not_kept(error)
    if handed.issued is not None:
        decided(Decision.invited(handed.issued))
    made = NewInvitation(
        invitation=handed.issued,
        text=handed.text,
        command=env().join_command_elsewhere(handed.text, mesh=body.mesh),
        qr=qr.svg(handed.text),
    )
    response = reply(made, HTTPStatus.CREATED)
    response.headers["Cache-Control"] = "no-store"
    return response


@invitations_api.post(
    "/<invitation_id>/revoke",
    summary="Revoke an invitation",
    responses={200: ListedInvitation, 404: Problem, 503: Problem},
)
@needs(Role.ADMIN)
def revoke_invitation(path: InvitationPath) -> Response:
    """Nobody joins by it any more. Clients that have joined by it stay."""
    try:
        revoked, is_news = env().enrolment.revoke_invitation(path.invitation_id)
    except NotKnown as error:
        return not_found(f"{error} GET /api/v1/invitations lists all.")
    except StoreUnavailable as error:
        return not_kept(error)
    if is_news:
        decided(Decision.not_invited_any_more(revoked))
    return reply(_listed(revoked))


def not_kept(error: StoreUnavailable) -> Response:
    """503: what was decided could not be kept, and so is not in force."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"Nothing was changed: it could not be kept. {error}")


def _listed(invitation: IssuedInvitation) -> ListedInvitation:
    return ListedInvitation(invitation=invitation, state=invitation.state(time.time()))
