"""Serves the Flask app with eventlet, unpatched, or with threads; the one place that knows the difference."""

from __future__ import annotations

import errno
import logging
import socket
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLContext
from types import TracebackType
from typing import Any

from flask import Flask

from app.auth.peer import PEER
from app.descriptors import raise_descriptor_limit
from app.settings import AsyncMode, ServerSettings
from app.web.connections import RETRY_S, Connections
from app.web.edge import WebEdge
from app.web.http_rules import HttpRules
from app.web.tls import page_context, shake_hands
from shared.address import Address
from shared.errors import FedLoomError
from shared.interrupt import Signalled, end_on_signals

SOCKET_TIMEOUT_S = 60.0
"""A connection on which nothing moves for this long is closed; an idle WebSocket pings every 5 s."""

LONGEST_LINE = 1 << 20
"""Of a request, for eventlet, which refuses a longer one without a word: the limit is that of HttpRules."""

BACKLOG = 128
"""Connections that wait to be accepted."""

Refusals = Callable[[], dict[str, int]]
Failure = tuple[type[BaseException], BaseException, TracebackType]

log = logging.getLogger(__name__)


def serve_until_stopped(
    flask_app: Flask,
    settings: ServerSettings,
    begin: Callable[[int], None],
    count_refusals: Callable[[Refusals], None],
) -> None:
    """Serve until SIGINT or SIGTERM. Raises FedLoomError when a port is taken.

    `begin` is called with the port once the server listens there; requests are answered when it returns.
    `count_refusals` gets what tells of connections that were turned away.
    """
    serve = _serve_eventlet if settings.async_mode == "eventlet" else _serve_threading
    end_on_signals()
    tls = page_context(settings)
    with suppress(KeyboardInterrupt), _listen(settings) as listener:
        connections = _connections(settings)
        count_refusals(connections.refused)
        serve(flask_app, listener, tls, connections, lambda: begin(listener.getsockname()[1]))
    log.info("stopping")


def _connections(settings: ServerSettings) -> Connections:
    # Werkzeug waits for the rest of a request, and a WebSocket for its peer, with a descriptor of its own.
    per_connection = 1 if settings.async_mode == "eventlet" else 2
    return Connections(raise_descriptor_limit(), per_connection, speaks_tls=settings.tls)


def sleep_of(mode: AsyncMode) -> Callable[[float], None]:
    """How a thread of the web server waits, and lets the others go on."""
    if mode == "threading":
        return time.sleep
    # Known and decided (docs/decisions/0002): eventlet is used unpatched, threading mode tested beside it.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet

    sleep: Callable[[float], None] = eventlet.sleep
    return sleep


def _serve_eventlet(
    flask_app: Flask,
    listener: socket.socket,
    tls: SSLContext | None,
    connections: Connections,
    begin: Callable[[], None],
) -> None:
    import eventlet
    from eventlet import wsgi
    from eventlet.green.ssl import GreenSSLSocket
    from eventlet.greenio import GreenSocket

    class RequestHandler(HttpRules, wsgi.HttpProtocol):
        def parse_request(self) -> bool:
            try:
                return super().parse_request()
            except (wsgi.HeaderLineTooLong, wsgi.HeadersTooLarge):
                self.send_error(431)
                return False

        def get_environ(self) -> dict[str, Any]:
            environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
            if environ["eventlet.input"].chunked_input:
                environ["wsgi.input_terminated"] = True  # without it Flask takes the body for empty
            if tls is not None:
                environ["wsgi.url_scheme"] = "https"
            environ[PEER] = self.peer
            return environ

        def finish(self) -> None:
            try:
                super().finish()
            finally:  # one that is left open keeps the socket open, until some garbage collection
                for file in (self.rfile, self.wfile):
                    with suppress(OSError):
                        file.close()

    RequestHandler.connections = connections
    green_listener = GreenSocket(listener)
    server = wsgi.Server(
        green_listener,
        green_listener.getsockname(),
        WebEdge(flask_app),
        protocol=RequestHandler,
        log_output=False,
        debug=False,  # no tracebacks to the browser
        socket_timeout=SOCKET_TIMEOUT_S,
        url_length_limit=LONGEST_LINE,
    )

    def serve_one(connection: Any, address: Any) -> None:
        try:
            if tls is None or shake_hands(connection):
                server.process_request([address, connection, wsgi.STATE_IDLE])
        except Signalled:
            raise
        except OSError as error:
            log.debug("the connection of %s ended: %s", address, error)
        except BaseException:
            log.exception("a connection of %s broke off", address)
        finally:
            connections.remove(connection)
            connection.close()

    def accept() -> None:
        """Not `wsgi.server`, which ends at the first connection that cannot be accepted."""
        while True:
            try:
                connection, address = green_listener.accept()
            except OSError as error:
                connections.failed(error)
                eventlet.sleep(RETRY_S)
                continue
            if tls is not None:
                try:
                    connection = GreenSSLSocket(
                        connection, server_side=True, do_handshake_on_connect=False, _context=tls
                    )
                except (OSError, ValueError):  # it has gone already
                    connection.close()
                    continue
            connection.settimeout(SOCKET_TIMEOUT_S)
            if connections.admit(connection):
                eventlet.spawn_n(serve_one, connection, address)
            else:
                connection.close()
            eventlet.sleep(0)  # so that those that were ended are closed before the next comes

    _report_green_threads(eventlet.hubs.get_hub())
    begin()
    # In a green thread of its own: here it would swallow the interrupt and wait for every open request.
    eventlet.spawn(accept).wait()


def _report_green_threads(hub: Any) -> None:
    """Have eventlet log what ends a green thread, which it prints, and let only a signal end the server."""

    def of_timer(_timer: object, failure: Failure) -> None:
        log.error("a task of the web server ended", exc_info=failure)

    def of_descriptor(descriptor: int, failure: Failure) -> None:
        of_timer(None, failure)
        with suppress(Exception):
            hub.remove_descriptor(descriptor)

    hub.SYSTEM_EXCEPTIONS = (Signalled,)
    hub.squelch_generic_exception = lambda failure: of_timer(None, failure)
    hub.squelch_timer_exception = of_timer
    hub.squelch_exception = of_descriptor


def _serve_threading(
    flask_app: Flask,
    listener: socket.socket,
    tls: SSLContext | None,
    connections: Connections,
    begin: Callable[[], None],
) -> None:
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    class RequestHandler(HttpRules, WSGIRequestHandler):
        timeout = SOCKET_TIMEOUT_S

        def make_environ(self) -> dict[str, Any]:
            return {**super().make_environ(), PEER: self.peer}

        def run_wsgi(self) -> None:
            """What follows on a connection that was a WebSocket is no HTTP request."""
            super().run_wsgi()
            self.close_connection = self.close_connection or "Upgrade" in self.headers

    class Server(ThreadedWSGIServer):
        def get_request(self) -> Any:
            try:
                connection, address = super().get_request()
            except OSError as error:
                connections.failed(error)
                time.sleep(RETRY_S)
                raise  # which the caller passes over
            if tls is None:
                return connection, address
            try:
                return tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address
            except (OSError, ValueError) as error:  # it has gone already
                connection.close()
                raise ConnectionAbortedError("the connection ended before TLS began") from error

        def finish_request(self, request: Any, client_address: Any) -> None:
            if tls is None or shake_hands(request):
                super().finish_request(request, client_address)

        def verify_request(self, request: Any, client_address: Any) -> bool:
            return connections.admit(request)

        def process_request(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request(request, client_address)
            except RuntimeError as error:  # no further thread can be started
                connections.failed(error)
                self.shutdown_request(request)

        def shutdown_request(self, request: Any) -> None:
            connections.remove(request)
            super().shutdown_request(request)

        def handle_error(self, request: Any, client_address: Any) -> None:
            log.exception("a connection of %s broke off", client_address)

    RequestHandler.connections = connections
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    host, port = listener.getsockname()[:2]
    # Given the socket: werkzeug would end the process by itself when the port is taken.
    server = Server(host, port, WebEdge(flask_app), RequestHandler, fd=listener.fileno())
    server.ssl_context = tls  # for the scheme of its requests; the listener itself stays as it is
    begin()
    server.serve_forever()


def _listen(settings: ServerSettings) -> socket.socket:
    """The socket of the page. Raises FedLoomError when the address cannot be had."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server(
            (settings.host, settings.port),
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=settings.host == "::" and socket.has_dualstack_ipv6(),
        )
    except (OSError, UnicodeError) as error:  # the latter for what cannot be a name
        raise _explained(error, settings) from error


def _explained(error: OSError | UnicodeError, settings: ServerSettings) -> FedLoomError:
    address = Address(settings.host, settings.port)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return FedLoomError(
            f"The page cannot be served on {address}: the port is in use. "
            "Stop the other program, or choose another port with --port."
        )
    return FedLoomError(f"The page cannot be served on {address}: {error}. Check --host and --port.")
