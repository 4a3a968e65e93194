"""serve_dashboard(): wiring only, no logic. Nothing of it imports PyTorch."""

from __future__ import annotations

import logging
from collections.abc import Callable

from flask import Response
from flask_openapi3 import OpenAPI

from app.api.aside import SLEEP
from app.api.problems import register_problem_handlers
from app.auth.replica_key import load_replica_key
from app.auth.roles import Role, public
from app.event_log.redis_log import RedisLog
from app.replica.federation import Federation
from app.replica.follower import Follower
from app.replica.forwarding import add_forwarding, forward
from app.replica.known import Known
from app.replica.live import FollowedLive
from app.replica.pulse import Pulse
from app.settings import ServerSettings
from app.web.announcement import page_url, warn_of_plain_http
from app.web.assets import add_assets
from app.web.forwarded import Forwarded
from app.web.guard import guard
from app.web.page import add_page
from app.web.servers import serve_until_stopped, sleep_of
from app.web.socket_gate import SocketGate
from app.web.socket_roles import Members
from app.web.sockets import create_socketio
from shared.console import DASHBOARD, configure_logging, report_uncaught
from shared.errors import SettingsInvalid
from shared.security.server_identity import KEYS

log = logging.getLogger(__name__)


def create_dashboard_app(
    settings: ServerSettings, federation: Federation, is_live: Callable[[], bool]
) -> OpenAPI:
    """The Flask app of a dashboard: page and files are its own, REST is the federation's. `is_live`: whether
    the federation answers, and what happens in it is known."""
    flask_app = OpenAPI(__name__.partition(".")[0], doc_ui=False, static_folder="static")
    flask_app.extensions[SLEEP] = sleep_of(settings.async_mode)
    guard(flask_app, settings)
    register_problem_handlers(flask_app)
    add_page(flask_app, lambda _key: forward(federation))
    add_assets(flask_app)
    add_forwarding(flask_app, federation)

    @flask_app.get("/healthz", doc_ui=False)
    @public
    def health() -> Response:
        status = "ok" if is_live() else "the federation is away"
        return Response(f'{{"status":"{status}"}}', content_type="application/json")

    return flask_app


def serve_dashboard(settings: ServerSettings) -> None:
    """Run a dashboard until SIGINT or SIGTERM. Raises FedLoomError when it cannot start."""
    configure_logging(DASHBOARD, log_format=settings.log_format)
    report_uncaught()
    deployment = settings.deployment
    if deployment.federation is None:
        raise SettingsInvalid("a dashboard needs the URL of its federation")
    key = load_replica_key(deployment.replica_key, settings.home / KEYS)
    federation = Federation(deployment.federation, key, deployment.federation_cert)
    sleep = sleep_of(settings.async_mode)
    follower = Follower(federation, RedisLog(deployment.redis) if deployment.redis else None)

    def is_ready() -> bool:
        return follower.log.instance != ""

    known = Known(federation, sleep, is_ready)
    pulse = Pulse(federation, known, follower)
    flask_app = create_dashboard_app(settings, federation, lambda: pulse.hears and is_ready())
    live, members = FollowedLive(follower, pulse), Members(known, known)
    pump = create_socketio(flask_app, live, members, settings.async_mode)
    gate = SocketGate(flask_app.wsgi_app, settings, known, Role.VIEWER)
    flask_app.wsgi_app = Forwarded(gate, deployment)  # type: ignore[method-assign]

    def begin(port: int) -> None:
        follower.start()
        pulse.start()
        pump.start()
        warn_of_plain_http(settings)
        url = deployment.public_url or page_url(settings, port, "localhost")
        log.info("The dashboard is ready at %s and shows the federation at %s", url, federation.url)

    try:
        serve_until_stopped(flask_app, settings, begin, lambda _refusals: None)
    finally:
        pulse.stop()
        follower.stop()
        federation.close()
