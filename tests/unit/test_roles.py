"""Every route and every event of the socket says who may use it, and nobody else may."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from socketio.exceptions import ConnectionRefusedError
from werkzeug.routing import Rule

from app.api.access import gate_of
from app.auth.accounts import HOUR_S
from app.auth.roles import PUBLIC, Everybody, Role, access_of, mark, needs
from app.environment import Environment
from app.server import attach_page_sockets, create_app
from app.settings import ServerSettings
from app.web.page import PLACES
from app.web.socket_roles import Members

PAGE = f"/<any({', '.join(PLACES)}):place>"
PUBLIC_ROUTES = {
    "/",
    PAGE,
    f"{PAGE}/<path:below>",
    "/healthz",
    "/api/v1/login",
    "/api/v1/setup",
    # the same for everybody, as it is in the source:
    "/static/<path:filename>",
    "/api/",
    "/api/docs",
    "/api/openapi.json",
    "/api/redoc",
    "/api/redoc/<path:filename>",
    "/api/static/<path:filename>",
}


class Site:
    """A whole application that no server serves, with a token for each role."""

    def __init__(self, home: Path) -> None:
        self.env = Environment(ServerSettings(home=home, async_mode="threading"))
        self.app: Flask = create_app(self.env)
        attach_page_sockets(self.app, self.env)
        self.socketio: Any = self.app.extensions["socketio"]
        add = self.env.auth.accounts.add_token
        self._tokens = {role: add(str(role), role, HOUR_S, None)[1] for role in Role}

    def ask(self, rule: Rule, method: str, role: Role | None) -> int:
        """The status of the answer to somebody with this role, or with none."""
        path = rule.rule
        for name in rule.arguments:
            value = "1" if name == "round" else "nothing"
            for kind in ("", "int:", "path:"):
                path = path.replace(f"<{kind}{name}>", value)
        headers = {"Authorization": f"Bearer {self._tokens[role]}"} if role is not None else {}
        client: FlaskClient = self.app.test_client()
        with client.open(path, method=method, headers=headers) as answer:
            return answer.status_code

    def close(self) -> None:
        self.env.auth.stop()
        self.env.store.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.close()


def routes(site: Site) -> list[tuple[Rule, str]]:
    return [
        (rule, method)
        for rule in site.app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
    ]


def test_every_route_says_who_may_use_it(site: Site) -> None:
    silent = [
        rule.rule for rule, _ in routes(site) if access_of(site.app.view_functions[rule.endpoint]) is None
    ]

    assert silent == []


def test_public_is_what_has_to_be_and_no_more(site: Site) -> None:
    public = {
        rule.rule for rule, _ in routes(site) if access_of(site.app.view_functions[rule.endpoint]) is PUBLIC
    }

    assert public == PUBLIC_ROUTES


def test_every_route_lets_in_those_with_its_role_and_nobody_else(site: Site) -> None:
    wrong = []
    for rule, method in routes(site):
        access = access_of(site.app.view_functions[rule.endpoint])
        for role in (None, *Role):
            status = site.ask(rule, method, role)
            if access is PUBLIC or (role is not None and isinstance(access, Role) and role.includes(access)):
                fits = status != 403 and (status != 401 or access is PUBLIC)
            else:
                fits = status == (401 if role is None else 403)
            if not fits:
                wrong.append((method, rule.rule, role, status))

    assert wrong == []


def test_everything_that_changes_something_takes_more_than_reading(site: Site) -> None:
    """But for what concerns nobody but oneself."""
    own = {"/api/v1/logout", "/api/v1/me/password"}
    for rule, method in routes(site):
        access = access_of(site.app.view_functions[rule.endpoint])
        if method not in {"GET", "HEAD"} and rule.rule not in PUBLIC_ROUTES | own:
            assert access in {Role.OPERATOR, Role.ADMIN}, rule


def test_a_route_that_says_nothing_is_closed_to_everybody(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.app.add_url_rule("/forgotten", view_func=lambda: Response("a secret"))
    rule = next(rule for rule in site.app.url_map.iter_rules() if rule.rule == "/forgotten")

    assert {site.ask(rule, "GET", role) for role in (None, *Role)} == {403}
    site.close()


def test_every_event_of_the_socket_says_who_may_send_it(site: Site) -> None:
    handlers: dict[str, dict[str, Any]] = site.socketio.server.handlers
    silent = [
        event
        for events in handlers.values()
        for event, handler in events.items()
        if event != "disconnect" and not isinstance(access_of(handler), Role)
    ]

    assert silent == []
    assert set(handlers) == {"/"}


def test_an_event_that_says_nothing_cannot_be_added(site: Site) -> None:
    with pytest.raises(TypeError, match="does not say which role"):
        site.socketio.on("run")(lambda data: None)
    with pytest.raises(TypeError, match="does not say which role"):
        site.socketio.on("run")(mark(lambda data: None, PUBLIC))


def test_an_event_of_a_connection_that_was_not_let_in_is_refused(site: Site) -> None:
    members = Members(gate_of(site.app), site.env.auth.accounts)

    with pytest.raises(ConnectionRefusedError, match="takes the role viewer"):
        members.require("a connection of nobody's", Role.VIEWER)


@pytest.mark.parametrize("role", Role)
def test_a_role_includes_those_before_it(role: Role) -> None:
    order = list(Role)

    assert [role.includes(other) for other in order] == [
        order.index(other) <= order.index(role) for other in order
    ]


def test_the_marks_can_be_told_apart() -> None:
    assert access_of(None) is None
    assert access_of(len) is None
    assert access_of(mark(lambda: None, PUBLIC)) is PUBLIC
    assert isinstance(PUBLIC, Everybody)
    assert access_of(needs(Role.ADMIN)(lambda: None)) is Role.ADMIN
