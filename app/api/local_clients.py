"""/api/v1/local-clients: client processes on the server's own machine, started and ended from the page."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from app.api.aside import aside
from app.api.audited import audited
from app.api.problems import Problem, field_invalid, not_found, problem
from app.api.reply import env, reply
from app.audit.entry import Kind
from app.auth.roles import Role, needs
from app.local_clients.clients import LocalClientsRefused
from app.records import ClientState
from app.records.membership import MembershipState
from shared.app_process.starting import ProgramNotStarted
from shared.names import DatasetName

MOST_AT_ONCE = 100
"""Above any machine's limit, which says more in its own words."""

local_clients_api = APIBlueprint(
    "local_clients",
    __name__,
    url_prefix="/api/v1/local-clients",
    abp_tags=[Tag(name="local clients", description="Client processes on the server's machine")],
)


class LocalClientInfo(BaseModel):
    id: str = Field(description="its name as a client")
    state: Literal["running", "ended"]
    dataset: str | None = Field(description="null: the server's app decides")
    reason: str | None = Field(description="why it has ended by itself, in words")


class LocalClientList(BaseModel):
    clients: list[LocalClientInfo]
    limit: int = Field(description="how many may run at the same time")
    refused: str | None = Field(description="why none can be started here, in words; null: they can")


class LocalClientsWish(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = Field(ge=1, le=MOST_AT_ONCE, description="how many to start")
    dataset: DatasetName | None = Field(
        default=None,
        description="what they train on; null: that of the run in hand, or else what the server was started "
        "with, and with a Flower app what that decides",
    )


class LocalClientPath(BaseModel):
    client_id: str = Field(max_length=200, description="a local client's id")


class LocalClientsEnded(BaseModel):
    ended: list[str]


@local_clients_api.get("", summary="The clients that were started here", responses={200: LocalClientList})
@needs(Role.VIEWER)
def list_local_clients() -> Response:
    """With those that have ended by themselves, until they are deleted or started again."""
    return reply(_listed())


@local_clients_api.post(
    "",
    summary="Start clients on the server's machine",
    responses={201: LocalClientList, 409: Problem, 422: Problem, 503: Problem},
)
@needs(Role.OPERATOR)
def start_local_clients(body: LocalClientsWish) -> Response:
    """They are named local-1, local-2 and so on, and connect by themselves, within seconds. They end with the
    server. Only where nobody but this machine can reach the page."""
    if (refusal := _refusal()) is not None:
        return problem(HTTPStatus.CONFLICT, refusal)
    server = env()
    app = server.settings.app
    if app is not None and body.dataset is not None:
        return field_invalid("dataset", f"the clients run the app {app.name}, which has data of its own")
    dataset = None if app is not None else body.dataset or server.dataset_in_hand
    taken = {
        client.id
        for client in server.registry.snapshot()
        if client.state is not ClientState.LOST or client.membership is not MembershipState.ADMITTED
    }
    try:
        started = aside(lambda: server.local_clients.start(body.count, dataset, server.link_address, taken))
    except LocalClientsRefused as error:
        return problem(HTTPStatus.CONFLICT, str(error))
    except ProgramNotStarted as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    audited(Kind.LOCAL_CLIENTS_STARTED, clients=[client.id for client in started], dataset=dataset)
    return reply(_listed(), HTTPStatus.CREATED)


@local_clients_api.delete("/<client_id>", summary="End a local client", responses={204: None, 404: Problem})
@needs(Role.OPERATOR)
def end_local_client(path: LocalClientPath) -> Response:
    """What it works on counts as failed; its run goes on with the others."""
    clients = env().local_clients
    if not aside(lambda: clients.end(path.client_id)):
        return not_found(
            f"No client {path.client_id!r} was started from the page. GET /api/v1/local-clients lists those "
            "that were."
        )
    audited(Kind.LOCAL_CLIENTS_ENDED, clients=[path.client_id])
    return Response(status=HTTPStatus.NO_CONTENT)


@local_clients_api.delete("", summary="End all local clients", responses={200: LocalClientsEnded})
@needs(Role.OPERATOR)
def end_local_clients() -> Response:
    """Clients that were started in another way stay."""
    ended = aside(env().local_clients.end_all)
    if ended:
        audited(Kind.LOCAL_CLIENTS_ENDED, clients=list(ended))
    return reply(LocalClientsEnded(ended=list(ended)))


def _listed() -> LocalClientList:
    clients = env().local_clients
    return LocalClientList(
        clients=[
            LocalClientInfo(
                id=client.id,
                state="running" if client.is_running else "ended",
                dataset=client.dataset,
                reason=client.reason,
            )
            for client in clients.all()
        ],
        limit=clients.limit,
        refused=_refusal(),
    )


def _refusal() -> str | None:
    """Whoever can reach the page from elsewhere is not to start programs on this machine."""
    settings = env().settings
    if settings.is_for_this_machine:
        return None
    why = (
        "the page of this server is passed on by others"
        if settings.on_loopback
        else f"this server listens on {settings.host}"
    )
    return (
        "Clients are started from the page only where nobody but its own machine can reach it, and "
        f"{why}. Start them in a terminal, or invite other machines."
    )
