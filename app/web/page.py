"""The page itself, which anybody may load: what it shows, it asks REST and the socket for."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, redirect, request, send_from_directory
from flask_openapi3 import OpenAPI
from werkzeug.wrappers import Response as WerkzeugResponse

from app.api.access import gate_of
from app.api.aside import aside
from app.api.audited import audited, login_refused, who
from app.api.cookies import set_cookie
from app.api.problems import problem
from app.api.reply import env
from app.audit.entry import Kind
from app.auth.roles import public
from shared.errors import StoreUnavailable


def add_page(flask_app: OpenAPI) -> None:
    """Serve it at `/`."""
    folder = f"{flask_app.root_path}/templates"

    @flask_app.get("/", doc_ui=False)
    @public
    def page() -> Response | WerkzeugResponse:
        if (key := request.args.get("token")) is not None:
            return _by_key(flask_app, key)
        return send_from_directory(folder, "index.html", max_age=0)


def _by_key(flask_app: OpenAPI, key: str) -> Response | WerkzeugResponse:
    """Exchange the server's key for a cookie, and have the browser forget the address that it stands in."""
    auth = env().auth
    identity = auth.accounts.by_key(key)
    if identity is None:  # it is too long to be guessed, however often
        login_refused("wrong key")
        return redirect("/#key=wrong", HTTPStatus.SEE_OTHER)
    try:
        issued = aside(auth.accounts.log_in_by_key)
    except StoreUnavailable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    audited(Kind.LOGGED_IN, by=who(identity))
    answer = redirect("/", HTTPStatus.SEE_OTHER)
    set_cookie(answer, request, gate_of(flask_app).cookie, issued.secret)
    return answer
