"""LinkNews: what pages are told of clients' links: all of it once, and then what has changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.records import ClientLink, LinkUpdate


class LinkNews:
    """For readers who got all that it was asked for before."""

    def __init__(self) -> None:
        self._told: Mapping[str, ClientLink] | None = None

    def whole(self) -> LinkUpdate | None:
        """What the others have been told so far, for somebody who has missed some of it; None: nothing."""
        if self._told is None:
            return None
        return LinkUpdate(whole=True, links={name: _fields(link) for name, link in self._told.items()})

    def following(self, now: Mapping[str, ClientLink]) -> LinkUpdate | None:
        """What has changed since this was asked last; None: nothing. `now`: all, by client."""
        before, self._told = self._told or {}, now
        if before is now:
            return None
        changed = {name: _changed(before.get(name), link) for name, link in now.items()}
        links = {name: fields for name, fields in changed.items() if fields}
        gone = tuple(name for name in before if name not in now)
        return LinkUpdate(whole=False, links=links, gone=gone) if links or gone else None


def _changed(before: ClientLink | None, after: ClientLink) -> dict[str, Any]:
    if before is None:
        return _fields(after)
    known = before.__dict__
    return {name: value for name, value in after.__dict__.items() if known[name] != value}


def _fields(link: ClientLink) -> dict[str, Any]:
    return dict(link.__dict__)
