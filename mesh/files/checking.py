"""What files of others have to pass in a folder that not everything belongs in, before anybody sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from mesh.files.entry import Entry
from mesh.files.parts import Part
from mesh.files.plan import Plan, Wanted
from mesh.node import Content
from shared.errors import FedLoomError

REFUSED = "a file that does not belong here"


class FileRefused(FedLoomError):
    """A file does not pass. Says why, as the end of a sentence."""


class FileCheck(Protocol):
    """By whoever the folder belongs to. Used in the folder's thread."""

    def require_expected(self, entry: Entry) -> None:
        """Raise FileRefused for a file that need not be fetched, by its name and size."""

    def require_dispensable(self, name: str) -> None:
        """Raise FileRefused for a file that stays here although others have deleted it."""

    def require_genuine(self, entry: Entry, data: bytes) -> None:
        """Raise FileRefused for what a file holds."""

    def came(self) -> None:
        """A file that has passed lies in the folder now."""


class Gate:
    """Of one folder. What was refused once, is not fetched again."""

    def __init__(self, check: FileCheck | None) -> None:
        self._check = check
        self._why: dict[tuple[str, Content | None], str] = {}
        self._refused: Counter[str] = Counter()

    @property
    def refused(self) -> Mapping[str, int]:
        """How many were, by reason."""
        return MappingProxyType(dict(self._refused))

    def judged(self, plan: Plan) -> Plan:
        """The same, without what does not pass, which is blocked."""
        if self._check is None:
            return plan
        passing: list[Wanted] = []
        for wanted in plan.wanted:
            why = self._objection(self._check, wanted.entry)
            if why is None:
                passing.append(wanted)
            else:
                plan.blocked[wanted.entry.name] = why
        plan.wanted = passing
        plan.deleted = [entry for entry in plan.deleted if not self._stays(self._check, entry.name, plan)]
        claimed = {(wanted.entry.name, wanted.entry.content) for wanted in passing}
        self._why = {
            place: why for place, why in self._why.items() if place[0] in plan.blocked or place in claimed
        }
        return plan

    def require_acceptable(self, entry: Entry, part: Part) -> None:
        """Raise FileRefused for a file that has come whole and does not pass; the part is gone then."""
        if self._check is None:
            return
        try:
            self._check.require_genuine(entry, part.read())
        except FileRefused as error:
            part.discard()
            self._refuse(entry, str(error))
            raise

    def came(self) -> None:
        """Such a file lies in the folder now."""
        if self._check is not None:
            self._check.came()

    @staticmethod
    def _stays(check: FileCheck, name: str, plan: Plan) -> bool:
        try:
            check.require_dispensable(name)
        except FileRefused as error:
            plan.blocked[name] = str(error)
            return True
        return False

    def _objection(self, check: FileCheck, entry: Entry) -> str | None:
        place = entry.name, entry.content
        if place not in self._why:
            try:
                check.require_expected(entry)
            except FileRefused as error:
                self._refuse(entry, str(error))
        return self._why.get(place)

    def _refuse(self, entry: Entry, why: str) -> None:
        self._why[entry.name, entry.content] = why
        self._refused[REFUSED] += 1
