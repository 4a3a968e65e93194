"""Forgetting: takes those off the list who do not wait any more, and ephemeral clients that have left."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress

from app.audit.entry import Kind
from app.audit.log import AuditLog
from app.enrolment.enrolment import Enrolment
from app.records import MembershipState
from shared.errors import StoreUnavailable

SWEEP_S = 5.0
RETURN_S = 60.0
"""How long an ephemeral client that was lost may take to come back."""

log = logging.getLogger(__name__)


class Forgetting:
    """Of one server; in the link thread."""

    def __init__(
        self,
        enrolment: Enrolment,
        audit: AuditLog,
        is_here: Callable[[str], bool],
        forgotten: Callable[[str], None],
    ) -> None:
        """`is_here`: whether a client is connected. `forgotten`: called for each name that is affected."""
        self._enrolment = enrolment
        self._audit = audit
        self._is_here = is_here
        self._forgotten = forgotten
        self._news = asyncio.Event()
        self._due: dict[str, tuple[str, float]] = {}
        """By name: the key, and when it is too late to come back."""

    def left(self, name: str, key: str, *, for_good: bool) -> None:
        """An ephemeral client's connection is over."""
        self._due[name] = key, time.monotonic() + (0.0 if for_good else RETURN_S)
        self._news.set()

    async def run(self) -> None:
        """Go on until this is cancelled."""
        for member in self._enrolment.members():
            if member.ephemeral and member.state is MembershipState.ADMITTED:
                self.left(member.client_id, member.key, for_good=False)
        while True:
            for name in self._enrolment.expire():
                self._forgotten(name)
            await self._let_go()
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_S):
                    await self._news.wait()

    async def _let_go(self) -> None:
        now = time.monotonic()
        for name, (key, due) in tuple(self._due.items()):
            if self._is_here(name):
                del self._due[name]
            elif now >= due:
                try:
                    was_there = await asyncio.to_thread(self._enrolment.leave, name, key)
                except StoreUnavailable as error:
                    log.warning("%s has left, and cannot be forgotten at present: %s", name, error)
                    return
                if self._due.get(name) == (key, due):
                    del self._due[name]
                if was_there:
                    self._audit.record(Kind.CLIENT_FORGOTTEN, client=name, key=key)
                    self._forgotten(name)
