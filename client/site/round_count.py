"""RoundCount: in how many rounds a client has taken part today, kept over restarts.

A round is one message of each kind: what counts is the most messages of any one type in a run, whatever
rounds the server says that they are of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import FedLoomError
from shared.security.files import write_whole

ROUNDS = "rounds"
"""The folder of the files, in FedLoom's own."""

MAX_TYPES = 32
"""Types of messages that are counted apart in a run; the others count as one."""
OTHERS = "others"
MAX_NAME = 100

Count = Annotated[int, Field(ge=0)]


class CountUnusable(FedLoomError):
    """How many rounds there were cannot be read or written, so that no further one may begin."""


class _Kept(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    day: str
    runs: dict[str, dict[str, Count]]


class RoundCount:
    """Of one client, in a file. Used in the runtime's thread."""

    def __init__(self, path: Path, today: Callable[[], date] = date.today) -> None:
        self._path = path
        self._today = today
        self._day: str | None = None
        self._runs: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def after(self, run: str, message_type: str) -> int:
        """How many rounds of today there will be with one more message. Raises CountUnusable."""
        self._turn_page()
        of_run = self._runs.get(run, {})
        one_more = of_run.get(self._counted_as(run, message_type), 0) + 1
        others = sum(max(counts.values()) for name, counts in self._runs.items() if name != run)
        return others + max(one_more, *of_run.values(), 0)

    def add(self, run: str, message_type: str) -> None:
        """Count a message, on the disk before anything else happens. Raises CountUnusable."""
        self._turn_page()
        kind = self._counted_as(run, message_type)
        of_run = self._runs[run]
        of_run[kind] = of_run.get(kind, 0) + 1
        kept = _Kept(day=self._day or "", runs=dict(self._runs))
        try:
            write_whole(self._path, kept.model_dump_json().encode())
        except OSError as error:
            raise CountUnusable(
                f"rounds_a_day is given, and the rounds of today cannot be kept in {self._path}: "
                f"{error.strerror or error}."
            ) from error

    def _counted_as(self, run: str, message_type: str) -> str:
        of_run = self._runs.get(run, {})
        name = message_type[:MAX_NAME]
        return name if name in of_run or len(of_run) < MAX_TYPES else OTHERS

    def _turn_page(self) -> None:
        """Begin a new day. While the clock says an earlier one than the file, the file's goes on."""
        if self._day is None:
            self._load()
        today = self._today().isoformat()
        if self._day is None or self._day < today:
            self._day = today
            self._runs.clear()

    def _load(self) -> None:
        try:
            kept = _Kept.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return
        except (OSError, ValidationError) as error:
            raise CountUnusable(
                f"rounds_a_day is given, and the rounds of today cannot be read from {self._path}. "
                "Restore the file, or delete it if you accept that today's count begins anew."
            ) from error
        self._day = kept.day
        self._runs.update({run: counts for run, counts in kept.runs.items() if counts})
