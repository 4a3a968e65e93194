"""/api/v1/clients: who is connected, and who may be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.api.audited import decided
from app.api.invitations import not_kept
from app.api.problems import Problem, not_found, problem
from app.api.reply import env, reply
from app.audit.decided import Decision
from app.audit.entry import Kind
from app.auth.roles import Role, needs
from app.enrolment.enrolment import EnrolmentRefused, NotKnown
from app.records import Client, ClientState, MembershipState
from shared.errors import StoreUnavailable
from shared.security.key_id import KeyId, KeyIdInvalid

log = logging.getLogger(__name__)

clients_api = APIBlueprint(
    "clients",
    __name__,
    url_prefix="/api/v1/clients",
    abp_tags=[Tag(name="clients", description="Client processes")],
)


class ClientList(BaseModel):
    clients: list[Client]


class ClientPath(BaseModel):
    client_id: str = Field(description="a client's id")


class KeyChoice(BaseModel):
    """A decision is on a key, which somebody has looked at; a name alone can be anybody's."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(max_length=200, description="the id of the key that asks to join")

    @field_validator("key")
    @classmethod
    def _is_one(cls, key: str) -> str:
        try:
            return str(KeyId.parse(key))
        except KeyIdInvalid as error:
            raise ValueError(str(error)) from error


class Readmission(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str | None = Field(
        default=None,
        max_length=200,
        description="the id of the new key of a client that has lost its own; null: the one that it had",
    )

    _is_one = field_validator("key")(lambda key: None if key is None else KeyChoice(key=key).key)


DECIDED: dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None] = {
    200: Client,
    404: Problem,
    409: Problem,
    422: Problem,
    503: Problem,
}


@clients_api.get("", summary="All clients that this server has seen", responses={200: ClientList})
@needs(Role.VIEWER)
def list_clients() -> Response:
    return reply(ClientList(clients=env().registry.snapshot()))


@clients_api.post("/<client_id>/approve", summary="Let a client in that waits", responses=DECIDED)
@needs(Role.ADMIN)
def approve_client(path: ClientPath, body: KeyChoice) -> Response:
    """It comes in by itself, within seconds."""
    return _decide(
        path.client_id,
        lambda: Decision.on(Kind.CLIENT_APPROVED, env().enrolment.approve(path.client_id, body.key)),
    )


@clients_api.post("/<client_id>/reject", summary="Send a client away that waits", responses=DECIDED)
@needs(Role.ADMIN)
def reject_client(path: ClientPath, body: KeyChoice) -> Response:
    """Its key is not let in, with an invitation neither, until the client is re-admitted."""
    return _decide(
        path.client_id,
        lambda: Decision.on(Kind.CLIENT_REJECTED, env().enrolment.reject(path.client_id, body.key)),
    )


@clients_api.post("/<client_id>/revoke", summary="Send a client away for good", responses=DECIDED)
@needs(Role.ADMIN)
def revoke_client(path: ClientPath) -> Response:
    """A client that is connected is cut off at once. What it works on counts as failed; its run goes on."""
    return _decide(
        path.client_id, lambda: Decision.on(Kind.CLIENT_REVOKED, env().enrolment.revoke(path.client_id))
    )


@clients_api.post("/<client_id>/readmit", summary="Let a client in again", responses=DECIDED)
@needs(Role.ADMIN)
def readmit_client(path: ClientPath, body: Readmission) -> Response:
    """One that was revoked or rejected; or one that has lost its key, with the new `key` with which it asks
    to join, after which the old one is revoked. A client that was sent away has to be started again."""
    return _decide(
        path.client_id, lambda: Decision.readmitted(*env().enrolment.readmit(path.client_id, body.key))
    )


@clients_api.delete(
    "/<client_id>",
    summary="Forget a client that is gone for good",
    responses={204: None, 404: Problem, 409: Problem, 503: Problem},
)
@needs(Role.ADMIN)
def forget_client(path: ClientPath) -> Response:
    """It is not on the list any more, nor is what its machine was used for; its key needs an invitation or an
    approval to come again. Runs in which it took part, and the audit log, stay as they are. Only of one that
    is not connected, and of whose name no key was revoked or rejected."""
    client = env().registry.get(path.client_id)
    if client is None or client.membership is MembershipState.PENDING:
        return not_found(f"There is no client {path.client_id!r} here. GET /api/v1/clients lists all.")
    if client.state is not ClientState.LOST:
        return problem(
            HTTPStatus.CONFLICT,
            f"{client.id} is connected, so it is not forgotten. End it at its site first, or revoke it.",
        )
    try:
        env().enrolment.forget(client.id)
    except EnrolmentRefused as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except StoreUnavailable as error:
        return not_kept(error)
    decided(Decision.forgotten(client))
    env().link.forget(client.id)
    env().link.catch_up()
    try:
        env().usage.forget(client.id)
    except StoreUnavailable as error:
        log.warning("what the machine of %s was used for stays for a day: %s", client.id, error)
    return Response(status=HTTPStatus.NO_CONTENT)


def _decide(client_id: str, decide: Callable[[], Decision]) -> Response:
    """Carry out a decision, and answer with the client as it stands then."""
    try:
        decided(decide())
    except NotKnown as error:
        return not_found(f"{error} GET /api/v1/clients lists all.")
    except EnrolmentRefused as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except StoreUnavailable as error:
        return not_kept(error)
    env().link.standing_changed(client_id)
    env().link.catch_up()
    client = env().registry.get(client_id)
    return reply(client) if client is not None else not_found(f"The client {client_id!r} has left.")
