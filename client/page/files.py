"""The files of the page, as they were built with the server's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from shared.errors import FedLoomError

APP = Path(__file__).resolve().parents[2] / "app"
PAGE = "/"
STATIC = "/static/"
COMPRESSED = (".br", ".gz")
"""What the build puts beside the files for the server's page; this one is never far away."""


class PageNotBuilt(FedLoomError):
    """The page's files are not there."""


def page_files(app: Path = APP) -> Mapping[str, Path]:
    """By the path at which each is asked for. No other file can be. Raises PageNotBuilt."""
    page, static = app / "templates" / "client.html", app / "static"
    if not page.is_file():
        raise PageNotBuilt(
            f"The client's page is not in {page.parent}. Build it: `npm ci && npm run build` in app/frontend."
        )
    found = {
        STATIC + path.relative_to(static).as_posix(): path
        for path in static.rglob("*")
        if path.is_file() and path.suffix not in COMPRESSED
    }
    return MappingProxyType({PAGE: page, **found})
