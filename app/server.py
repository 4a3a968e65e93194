"""create_app(env) and serve(): wiring only, no logic."""

from __future__ import annotations

import gc
import logging
from functools import partial

from flask_openapi3 import OpenAPI

from app.api.access import Gate, control_access
from app.api.audit import audit_api
from app.api.checkpoints import checkpoints_api
from app.api.clients import clients_api
from app.api.events import events_api
from app.api.export import export_api
from app.api.invitations import invitations_api
from app.api.openapi import create_openapi_app, describe
from app.api.problems import register_problem_handlers
from app.api.runs import runs_api
from app.api.server_key import server_key_api
from app.api.session import session_api
from app.api.strategies import strategies_api
from app.api.system import system_api
from app.api.tokens import tokens_api
from app.api.users import users_api
from app.api.verdicts import verdicts_api
from app.auth.roles import PUBLIC, mark
from app.environment import Environment
from app.flower_control.api import create_control_api
from app.log_feed import EventLogHandler
from app.settings import ServerSettings
from app.web.guard import guard
from app.web.page import add_page
from app.web.servers import OnReady, serve_until_stopped
from app.web.sockets import create_socketio
from shared.console import configure_logging, report_uncaught

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
    """The Flask app of one server: page, REST and OpenAPI."""
    flask_app = create_openapi_app(__name__.partition(".")[0])
    flask_app.extensions["fedloom"] = env
    guard(flask_app, env.settings)
    control_access(flask_app, Gate(env.settings, env.auth))  # before a body is read
    register_problem_handlers(flask_app)
    for blueprint in (
        runs_api,
        checkpoints_api,
        verdicts_api,
        export_api,
        strategies_api,
        clients_api,
        invitations_api,
        events_api,
        audit_api,
        system_api,
        server_key_api,
        session_api,
        users_api,
        tokens_api,
    ):
        flask_app.register_api(blueprint)
    flask_app.register_blueprint(create_control_api())

    add_page(flask_app)
    for endpoint in OF_LIBRARIES:  # nothing that is not in the source as well
        view = flask_app.view_functions[endpoint]
        flask_app.view_functions[endpoint] = mark(partial(view), PUBLIC)  # a method bears no mark
    describe(flask_app)
    return flask_app


def serve(settings: ServerSettings, on_ready: OnReady = lambda port, link_port: None) -> None:
    """Run a server until SIGINT or SIGTERM. Raises FedLoomError when it cannot start.

    `on_ready` is called once with the page's and the link's port.
    """
    configure_logging("server", logging.WARNING if settings.app is None else logging.INFO)
    report_uncaught()
    env = Environment(settings)
    feed = EventLogHandler(env.bus)
    logging.getLogger().addHandler(feed)
    flask_app = create_app(env)
    create_socketio(flask_app, env)
    # What is imported stays. To look through all of it for garbage, half a million objects with PyTorch,
    # takes hundreds of milliseconds in which nobody is answered.
    gc.freeze()
    try:
        serve_until_stopped(flask_app, env, on_ready)
    finally:
        env.shut_down()
        logging.getLogger().removeHandler(feed)
