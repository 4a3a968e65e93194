"""Serves the Flask app with eventlet, unpatched, or with threads; the one place that knows the difference."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from contextlib import suppress

from flask import Flask

from app.environment import Environment
from app.settings import ServerSettings
from app.sockets import Pump
from shared.errors import FedLoomError
from shared.interrupt import end_on_signals

SOCKET_TIMEOUT_S = 60.0
"""A connection on which nothing moves for this long is closed; an idle WebSocket pings every 5 s."""

OnReady = Callable[[int, int], None]

log = logging.getLogger(__name__)


def serve_until_stopped(flask_app: Flask, env: Environment, on_ready: OnReady) -> None:
    """Start the environment and serve until SIGINT or SIGTERM. Raises FedLoomError when a port is taken.

    `on_ready` is called with the page's and the link's port once both answer.
    """
    settings = env.settings
    pump: Pump = flask_app.extensions["fedloom-pump"]
    serve = _serve_eventlet if settings.async_mode == "eventlet" else _serve_threading
    end_on_signals()
    try:
        with suppress(KeyboardInterrupt):
            serve(flask_app, env, pump, on_ready)
    except OSError as error:
        raise _explained(error, settings) from error
    log.info("stopping")


def _serve_eventlet(flask_app: Flask, env: Environment, pump: Pump, on_ready: OnReady) -> None:
    import eventlet
    import eventlet.wsgi

    listener = eventlet.listen(
        (env.settings.host, env.settings.port), family=_family(env.settings), reuse_port=False
    )
    _begin(env, pump, listener.getsockname()[1], on_ready)
    # In a green thread of its own: here it would swallow the interrupt and wait for every open request.
    serving = eventlet.spawn(
        eventlet.wsgi.server,
        listener,
        flask_app,
        log_output=False,
        debug=False,  # no tracebacks to the browser
        socket_timeout=SOCKET_TIMEOUT_S,
    )
    serving.wait()


def _serve_threading(flask_app: Flask, env: Environment, pump: Pump, on_ready: OnReady) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class RequestHandler(WSGIRequestHandler):
        """Ends a connection that was a WebSocket; what follows on it is no HTTP request."""

        def run_wsgi(self) -> None:
            super().run_wsgi()
            self.close_connection = self.close_connection or "Upgrade" in self.headers

    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    settings = env.settings
    # Bound here: werkzeug would end the process by itself when the port is taken.
    with socket.create_server((settings.host, settings.port), family=_family(settings)) as listener:
        server = make_server(
            settings.host,
            settings.port,
            flask_app,
            threaded=True,
            request_handler=RequestHandler,
            fd=listener.fileno(),
        )
        _begin(env, pump, listener.getsockname()[1], on_ready)
        server.serve_forever()


def _family(settings: ServerSettings) -> socket.AddressFamily:
    return socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]


def _begin(env: Environment, pump: Pump, port: int, on_ready: OnReady) -> None:
    env.start()
    pump.start()
    settings = env.settings
    shown = "localhost" if settings.host in {"127.0.0.1", "::1"} else settings.host
    if not settings.on_loopback:
        log.warning(
            "Anyone who can reach %s can open the page, start runs and join as a client: "
            "there is no login yet. Use this only in a network that you trust.",
            settings.host,
        )
    log.info("FedLoom is ready at http://%s:%d (clients connect to port %d)", shown, port, env.link.port)
    on_ready(port, env.link.port)


def _explained(error: OSError, settings: ServerSettings) -> FedLoomError:
    address = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return FedLoomError(
            f"The page cannot be served on {address}: the port is in use. "
            "Stop the other program, or choose another port with --port."
        )
    return FedLoomError(f"The page cannot be served on {address}: {error}. Check --host and --port.")
