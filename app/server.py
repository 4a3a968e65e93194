"""create_app(env) and serve(): wiring only, no logic."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from functools import partial

from flask_openapi3 import OpenAPI

from app.api.access import Gate, control_access, gate_of
from app.api.aside import SLEEP
from app.api.audit import audit_api
from app.api.checkpoints import checkpoints_api
from app.api.clients import clients_api
from app.api.comparison import comparison_api
from app.api.events import events_api
from app.api.export import export_api
from app.api.invitations import invitations_api
from app.api.links import links_api
from app.api.local_clients import local_clients_api
from app.api.logs import logs_api
from app.api.mesh import mesh_api
from app.api.metrics import add_metrics
from app.api.openapi import create_openapi_app, describe
from app.api.outlets import outlets_api
from app.api.problems import register_problem_handlers
from app.api.replicas import replicas_api
from app.api.rounds import rounds_api
from app.api.run_list import run_list_api
from app.api.run_notes import run_notes_api
from app.api.run_records import run_records_api
from app.api.runs import runs_api
from app.api.server_key import server_key_api
from app.api.session import session_api
from app.api.strategies import strategies_api
from app.api.system import system_api
from app.api.tokens import tokens_api
from app.api.usage import usage_api
from app.api.users import users_api
from app.api.verdicts import verdicts_api
from app.auth.replica_key import load_or_make_replica_key
from app.auth.roles import PUBLIC, Role, mark
from app.environment import Environment
from app.event_log.publisher import Publisher
from app.event_log.redis_log import RedisLog
from app.flower_control.api import create_control_api
from app.log_feed import EventLogHandler
from app.metrics import ServerMetrics
from app.settings import ServerSettings
from app.web.announcement import announce
from app.web.assets import add_assets
from app.web.compression import compress_answers
from app.web.forwarded import Forwarded
from app.web.guard import guard
from app.web.own import OwnLive
from app.web.page import add_entrance, add_page, exchange_key
from app.web.refused import RefusedRequests
from app.web.servers import serve_until_stopped, sleep_of
from app.web.socket_gate import SocketGate
from app.web.socket_roles import Members
from app.web.sockets import Pump, create_socketio
from shared.console import SERVER, configure_logging, report_uncaught
from shared.interrupt import drain_on_sigterm
from shared.security.server_identity import KEYS

OnReady = Callable[[int, int], None]

log = logging.getLogger(__name__)

OF_LIBRARIES = (
    "static",
    "redoc.static",
    "redoc.redoc",
    "openapi.static",
    "openapi.doc_url",
    "openapi.openapi",
)
"""Routes that Flask and flask-openapi3 add by themselves: the page's files, and the API's description."""


def create_app(env: Environment) -> OpenAPI:
    """The Flask app of one server: page, REST and OpenAPI; a federation's has no page."""
    flask_app = create_openapi_app(__name__.partition(".")[0])
    flask_app.extensions["fedloom"] = env
    flask_app.extensions[SLEEP] = sleep_of(env.settings.async_mode)
    compress_answers(flask_app)
    guard(flask_app, env.settings)
    control_access(flask_app, Gate(env.settings, env.auth))  # before a body is read
    register_problem_handlers(flask_app)
    for blueprint in (
        run_list_api,
        comparison_api,
        run_notes_api,
        runs_api,
        rounds_api,
        checkpoints_api,
        run_records_api,
        verdicts_api,
        export_api,
        mesh_api,
        strategies_api,
        clients_api,
        local_clients_api,
        invitations_api,
        events_api,
        logs_api,
        audit_api,
        system_api,
        usage_api,
        links_api,
        outlets_api,
        server_key_api,
        session_api,
        users_api,
        tokens_api,
    ):
        flask_app.register_api(blueprint)
    flask_app.register_blueprint(create_control_api())

    add_metrics(flask_app, ServerMetrics(env))
    if env.settings.deployment.role == "federation":
        flask_app.register_blueprint(replicas_api)
        add_entrance(flask_app)
    else:
        add_page(flask_app, exchange_key)
    add_assets(flask_app)
    for endpoint in OF_LIBRARIES:  # nothing that is not in the source as well
        view = flask_app.view_functions[endpoint]
        flask_app.view_functions[endpoint] = mark(partial(view), PUBLIC)  # a method bears no mark
    describe(flask_app)
    return flask_app


def attach_page_sockets(flask_app: OpenAPI, env: Environment) -> Pump:
    """Socket.IO for this server's own page."""
    gate, settings = gate_of(flask_app), env.settings
    pump = create_socketio(flask_app, OwnLive(env), Members(gate, env.auth.accounts), settings.async_mode)
    flask_app.wsgi_app = SocketGate(flask_app.wsgi_app, settings, gate, Role.VIEWER)  # type: ignore[method-assign]
    return pump


def _publisher(env: Environment) -> Publisher:
    """Where a federation tells its dashboards what happens."""
    redis = env.settings.deployment.redis
    return Publisher(env.instance, env.bus, env.writer.shown, RedisLog(redis) if redis else None)


def serve(settings: ServerSettings, on_ready: OnReady = lambda port, link_port: None) -> None:
    """Run a server until SIGINT or SIGTERM. Raises FedLoomError when it cannot start.

    `on_ready` is called once with the page's and the link's port.
    """
    flower_level = logging.WARNING if settings.app is None else logging.INFO
    configure_logging(SERVER, flower_level, settings.log_format)
    report_uncaught()
    deployment, replica_key = settings.deployment, None
    if deployment.role == "federation":
        replica_key = load_or_make_replica_key(deployment.replica_key, settings.home / KEYS)
    env = Environment(settings)
    feed = EventLogHandler(env.bus)
    logging.getLogger().addHandler(feed)
    flask_app = create_app(env)
    teller = _publisher(env) if replica_key is not None else attach_page_sockets(flask_app, env)
    refused = RefusedRequests(flask_app.wsgi_app)
    env.count_at_page(refused.counts)
    flask_app.wsgi_app = Forwarded(refused, deployment, replica_key)  # type: ignore[method-assign]

    def begin(port: int) -> None:
        env.start()
        teller.start()
        announce(env, port)
        if settings.drain_s > 0:
            drain_on_sigterm(env.drain)
        on_ready(port, env.link.port)

    # What is imported stays. To look through all of it for garbage, half a million objects with PyTorch,
    # takes hundreds of milliseconds in which nobody is answered.
    gc.freeze()
    try:
        serve_until_stopped(flask_app, settings, begin, env.count_at_page)
    finally:
        env.shut_down()
        teller.stop()
        logging.getLogger().removeHandler(feed)
