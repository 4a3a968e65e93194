"""Confirmations: what runs people at the site were asked to confirm, and what they said.

One file for each run, in FedLoom's own folder: the client writes it when it asks, `python -m client.confirm`
writes the answer into it. It belongs to exactly what was asked: the same number with other settings is
another run.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from client.site.rules import RunFacts
from shared.errors import FedLoomError
from shared.security.files import write_whole

FOLDER = "confirmations"
KEPT_S = 30 * 24 * 3600.0
"""How long an answer is kept: a run that was cut may go on later."""

MAX_UNANSWERED = 100
"""Questions that are kept, the newest: a server may think of any number."""


class Request(BaseModel):
    """What somebody is asked. `yes`: the answer; None: there is none yet."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    run: Annotated[str, StringConstraints(max_length=100)]
    words: Annotated[str, StringConstraints(max_length=2_000)]
    asked_at: float
    yes: bool | None = None


class ConfirmationUnusable(FedLoomError):
    """What somebody was asked, or has answered, cannot be read or written."""


class Confirmations:
    """Of one site. From any thread, and any process of its user."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER

    def ask(self, run: RunFacts) -> None:
        """Put a question there, unless it is. Raises ConfirmationUnusable."""
        if self._read(self._path(run)) is None:
            self._forget_old()
            self._write(self._path(run), Request(run=run.run, words=str(run), asked_at=time.time()))

    def answer_to(self, run: RunFacts) -> bool | None:
        """What somebody has said to exactly this; None: nothing so far. Raises ConfirmationUnusable."""
        request = self._read(self._path(run))
        return None if request is None else request.yes

    def answer(self, run: str, *, yes: bool) -> list[Request]:
        """Give the answer to all that is asked of a run; returns what that is. Raises
        ConfirmationUnusable."""
        answered = []
        for path, request in self._all():
            if request.run == run:
                answered.append(request)
                self._write(path, request.model_copy(update={"yes": yes}))
        return answered

    def unanswered(self) -> list[Request]:
        """What is asked, the oldest first. Raises ConfirmationUnusable."""
        waiting = [request for _, request in self._all() if request.yes is None]
        return sorted(waiting, key=lambda request: request.asked_at)

    def _path(self, run: RunFacts) -> Path:
        return self._folder / f"{run.digest}.json"

    def _all(self) -> Iterator[tuple[Path, Request]]:
        for path in sorted(self._folder.glob("[!.]*.json")):
            if (request := self._read(path)) is not None:
                yield path, request

    def _forget_old(self) -> None:
        newest_first = sorted(self._all(), key=lambda each: -each[1].asked_at)
        unanswered = [path for path, request in newest_first if request.yes is None]
        old = [path for path, request in newest_first if time.time() - request.asked_at > KEPT_S]
        for path in {*old, *unanswered[MAX_UNANSWERED - 1 :]}:
            path.unlink(missing_ok=True)

    def _read(self, path: Path) -> Request | None:
        try:
            return Request.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ConfirmationUnusable(
                f"{path} cannot be read, in which it stands whether a run was confirmed. Delete it to be "
                "asked again."
            ) from error

    def _write(self, path: Path, request: Request) -> None:
        try:
            write_whole(path, request.model_dump_json().encode())
        except OSError as error:
            raise ConfirmationUnusable(
                f"confirm = true, and what was asked cannot be kept in {path}: {error.strerror or error}."
            ) from error
