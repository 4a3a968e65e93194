"""What the page's server answers, by what is asked: who may see it, and with which headers. No I/O but files.

Anybody may load the page, which is empty; what it shows is for whoever has the key, which is in the address
that the client prints, and from then on in a cookie.
"""

from __future__ import annotations

import json
import mimetypes
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from client.page.files import PAGE, STATIC
from shared import qr
from shared.errors import FedLoomError

STATUS = "/api/status"
ACTIONS = "/api/"
"""Before the name of what is to be done."""
MAX_BODY_BYTES = 4096
JOIN = "join"
"""The action that also takes a picture of an invitation's QR code, in place of its text."""
PICTURES = frozenset({"image/png", "image/jpeg"})
MAX_PICTURE_BYTES = 16 << 20
"""What a telephone takes has up to 10 MB."""
LOOPBACK = frozenset({"localhost", "127.0.0.1"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the component library sets styles on elements
        "font-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
IMMUTABLE = "public, max-age=31536000, immutable"
"""For files whose names carry a hash of their content."""


NO_KEY = "Open the address that the client has printed: its key is in it."

Json = Mapping[str, Any]
Act = Callable[[str, Json], Json]
"""Does what people at the page want: an action by its name, with what it is about. Raises NoSuchAction, and
FedLoomError, in words, where it is not done."""


class NoSuchAction(LookupError):
    """There is no action of this name."""


@dataclass(frozen=True)
class Answer:
    """What goes back. `headers`: beside `ALWAYS`."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Answers:
    """Of one page. Safe from any thread, as far as `status` is."""

    def __init__(
        self, key: str, port: int, files: Mapping[str, Path], status: Callable[[], Json], act: Act
    ) -> None:
        """`key`: whoever has it sees all, and may do all. `status`: what there is to see. `act`: does it."""
        self._key = key
        self._names = frozenset(f"{name}:{port}" for name in LOOPBACK)
        self._cookie = f"fedloom-client-{port}"
        self._files = files
        self._status = status
        self._act = act

    def get(self, target: str, headers: Mapping[str, str]) -> Answer:
        """To a GET. `headers`: by their names in lower case."""
        if (refusal := self._foreign(headers)) is not None:
            return _words(HTTPStatus.FORBIDDEN, refusal)
        try:
            address = urlsplit(target)
            given = parse_qs(address.query).get("token")
        except ValueError:
            return _words(HTTPStatus.BAD_REQUEST, "This is no address.")
        if address.path == PAGE and given is not None:
            return self._enter(given[0])
        if address.path == STATUS:
            return self._tell(headers)
        path = self._files.get(address.path)
        return (
            _words(HTTPStatus.NOT_FOUND, "There is nothing here.")
            if path is None
            else _file(address.path, path)
        )

    def most_bytes(self, target: str, headers: Mapping[str, str]) -> int:
        """Of the body of a POST: nothing large is read for whoever may not have it done."""
        if not _is_picture(target, headers) or self._refusal(headers) is not None:
            return MAX_BODY_BYTES
        return MAX_PICTURE_BYTES

    def post(self, target: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """To a POST. `headers` as for `get`; `body`: None: there is none, or too much."""
        if (refusal := self._refusal(headers)) is not None:
            return refusal
        try:
            fields = _pictured(body) if _is_picture(target, headers) else _said(headers, body)
            return _json(self._act(target.removeprefix(ACTIONS), fields))
        except _NotSaid as error:
            return _words(HTTPStatus.BAD_REQUEST, str(error))
        except NoSuchAction:
            return _words(HTTPStatus.NOT_FOUND, "There is nothing here.")
        except FedLoomError as error:
            return _words(HTTPStatus.CONFLICT, str(error))

    def _refusal(self, headers: Mapping[str, str]) -> Answer | None:
        """To somebody who may not have the client do something; None: they may."""
        if (refusal := self._foreign(headers)) is not None:
            return _words(HTTPStatus.FORBIDDEN, refusal)
        if headers.get("origin") != f"http://{headers['host']}":
            # A cookie is also sent by pages of other servers on this machine: ports are not kept apart.
            return _words(HTTPStatus.FORBIDDEN, "Only this client's own page may have it do something.")
        return None if self._has_key(headers) else _words(HTTPStatus.UNAUTHORIZED, NO_KEY)

    def _foreign(self, headers: Mapping[str, str]) -> str | None:
        """Why a request does not come from this page; None when it does."""
        if headers.get("host") not in self._names:
            # A foreign name for this machine is DNS rebinding, by which any web page could read this one.
            return "This page is for this machine only. Open it as localhost."
        site = headers.get("sec-fetch-site", "none")
        if site not in {"none", "same-origin"} and headers.get("sec-fetch-mode") != "navigate":
            return "Requests from other sites' pages are not answered."
        return None

    def _enter(self, key: str) -> Answer:
        """Exchange the key for a cookie, and have the browser forget the address that it stands in."""
        if not self._is_key(key):
            return _words(
                HTTPStatus.FORBIDDEN, "This is not this client's key. Open the address that it has printed."
            )
        cookie = f"{self._cookie}={self._key}; HttpOnly; SameSite=Strict; Path=/"
        return Answer(HTTPStatus.SEE_OTHER, headers={"Location": PAGE, "Set-Cookie": cookie})

    def _tell(self, headers: Mapping[str, str]) -> Answer:
        if not self._has_key(headers):
            return _words(HTTPStatus.UNAUTHORIZED, NO_KEY)
        return _json(self._status())

    def _has_key(self, headers: Mapping[str, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and self._is_key(cookie.value)

    def _is_key(self, text: str) -> bool:
        return secrets.compare_digest(text.encode("utf-8", "surrogateescape"), self._key.encode())


class _NotSaid(Exception):
    """What was sent is no wish."""


def _is_picture(target: str, headers: Mapping[str, str]) -> bool:
    return target == f"{ACTIONS}{JOIN}" and headers.get("content-type") in PICTURES


def _said(headers: Mapping[str, str], body: bytes | None) -> Json:
    try:
        fields = json.loads(body or b"")
    except (ValueError, RecursionError):
        fields = None
    if headers.get("content-type") != "application/json" or not isinstance(fields, dict):
        raise _NotSaid(f"It is said in JSON, of at most {MAX_BODY_BYTES:,} bytes.")
    return fields


def _pictured(body: bytes | None) -> Json:
    """The text of an invitation, from its picture. Raises PictureUnusable."""
    if not body:
        raise _NotSaid(f"There is no picture, or one of more than {MAX_PICTURE_BYTES >> 20} MiB. Cut it out.")
    try:
        return {"text": qr.read_data(body, "the file")}
    except qr.PictureUnusable as error:
        words = str(error)
        raise qr.PictureUnusable(f"{words[:1].upper()}{words[1:]}") from error


def _file(asked: str, path: Path) -> Answer:
    try:
        body = path.read_bytes()
    except OSError:
        return _words(
            HTTPStatus.NOT_FOUND, "This file is gone. Has FedLoom been updated? Start the client anew."
        )
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    caching = IMMUTABLE if asked.startswith(f"{STATIC}assets/") else "no-cache"
    return Answer(HTTPStatus.OK, body, {"Content-Type": _with_charset(kind), "Cache-Control": caching})


def _with_charset(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _json(value: Json) -> Answer:
    body = json.dumps(value, allow_nan=False).encode()
    return Answer(HTTPStatus.OK, body, {"Content-Type": "application/json", "Cache-Control": "no-store"})


def _words(status: HTTPStatus, words: str) -> Answer:
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(status, f"{words}\n".encode(), headers)
