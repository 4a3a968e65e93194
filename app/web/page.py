"""The page itself, which anybody may load: what it shows, it asks REST and the socket for."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from flask import Response, current_app, redirect, request, send_from_directory
from flask_openapi3 import OpenAPI
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

from app.api.access import gate_of
from app.api.aside import aside
from app.api.audited import audited, login_refused, who
from app.api.cookies import set_cookie
from app.api.problems import as_problem, problem
from app.api.reply import env
from app.audit.entry import Kind
from app.auth.roles import public
from shared.errors import StoreUnavailable

Answer = Response | WerkzeugResponse

PLACES = ("runs", "clients", "data", "network", "system", "logs", "trust", "new")
"""The first words of the addresses that the page itself knows what to show at; `page/nav.ts` has them too."""


ELSEWHERE = (
    "This process has no page: it is served by those with --role dashboard. Here are REST, below /api, and "
    "the link for clients."
)


def add_page(flask_app: OpenAPI, by_key: Callable[[str], Answer]) -> None:
    """Serve it at `/` and at the addresses of what it shows, where a reload, or a link, opens it again.
    `by_key`: answers whoever brings the server's key."""
    file = Path(flask_app.root_path) / "templates" / "index.html"

    @flask_app.get("/", doc_ui=False)
    @public
    def page() -> Answer:
        if (key := request.args.get("token")) is not None:
            return by_key(key)
        return _index(file)

    @flask_app.get(f"/<any({', '.join(PLACES)}):place>", doc_ui=False)
    @flask_app.get(f"/<any({', '.join(PLACES)}):place>/<path:below>", doc_ui=False)
    @public
    def page_at() -> Response:  # flask-openapi3 hands over only what a model describes
        return _index(file)

    @flask_app.errorhandler(NotFound)
    def nothing_there(error: NotFound) -> Response | HTTPException:
        """To a reader the page itself says that there is nothing, and leads on."""
        if error.response is not None or request.path.startswith("/api/") or not _is_opened_by_reader():
            return as_problem(error)
        answer = _index(file)
        answer.status_code = HTTPStatus.NOT_FOUND
        return answer


def add_entrance(flask_app: OpenAPI) -> None:
    """In place of the page, where others serve it: only whoever brings the server's key is let in here."""

    @flask_app.get("/", doc_ui=False)
    @public
    def entrance() -> Answer:
        if (key := request.args.get("token")) is not None:
            return exchange_key(key)
        return problem(HTTPStatus.NOT_FOUND, ELSEWHERE)


def _index(file: Path) -> Response:
    """The page, which finds its files below the path that the browser has it at."""
    if not request.root_path:
        return send_from_directory(file.parent, file.name, max_age=0)
    content = file.read_text("utf-8").replace('"/static/', f'"{request.root_path}/static/')
    answer = Response(content, content_type="text/html; charset=utf-8")
    answer.cache_control.no_cache = True
    return answer


def _is_opened_by_reader() -> bool:
    """Browsers ask for HTML by its name where an address is opened, and nowhere else."""
    return request.method == "GET" and "text/html" in request.accept_mimetypes.values()


def exchange_key(key: str) -> Answer:
    """Exchange the server's key for a cookie, and have the browser forget the address that it stands in."""
    auth = env().auth
    identity = auth.accounts.by_key(key)
    if identity is None:  # it is too long to be guessed, however often
        login_refused("wrong key")
        return redirect(f"{request.root_path}/#key=wrong", HTTPStatus.SEE_OTHER)
    try:
        issued = aside(auth.accounts.log_in_by_key)
    except StoreUnavailable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    audited(Kind.LOGGED_IN, by=who(identity))
    answer = redirect(f"{request.root_path}/", HTTPStatus.SEE_OTHER)
    set_cookie(answer, request, gate_of(current_app).cookie, issued.secret)
    return answer
