"""Ledger: what the clients of one home have spent of a data set. Asked before a training, written after it.

Nothing is let out before it stands here. Where the file cannot be read or written, nothing is let out.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from client.ledger.entry import Entry, EntryUnreadable, Expense, Heading
from client.ledger.journal import Journal, JournalUnusable
from client.ledger.spending import Spending
from client.site.policy import Budget
from client.site.rules import Declined
from shared.errors import FedLoomError
from shared.spent import Spent

FOLDER = "ledger"
SUFFIX = ".ledger"

log = logging.getLogger(__name__)


class LedgerUnusable(FedLoomError):
    """Nobody knows what was spent, or what is to be spent cannot be written: nothing may be let out."""


class Ledger:
    """Of one data set, for one client of the home; others may write it at the same time.

    Used by one thread at a time. All methods raise LedgerUnusable.
    """

    def __init__(
        self,
        home: Path,
        dataset: str,
        client: str = "",
        budget: Budget | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dataset = dataset
        self._client = client
        self._budget = budget
        self._clock = clock
        self._journal = Journal(ledger_file(home, dataset))
        self._unreadable: LedgerUnusable | None = None
        self._is_begun = False
        self._entries: list[Entry] = []
        self._spending = Spending()
        self._of_runs: defaultdict[str, Spending] = defaultdict(Spending)

    def require(self, expense: Expense) -> None:
        """Raise Declined unless the budget has room for an expense. It is not entered: the training may still
        come to nothing."""
        with self._saying_what_is_wrong():
            self._take(self._journal.read())
            self._check(expense)

    def enter(self, expense: Expense) -> Spent:
        """Enter an expense, once; it is on the disk when this returns. Returns what is spent on its samples
        then. Raises Declined if the budget has no room for it: another client of this home may have spent
        meanwhile."""
        with self._saying_what_is_wrong(), self._journal.held() as held:
            self._take(held.news)
            self._check(expense)
            if not self._is_begun:
                self._add(held.add, Heading(dataset=self._dataset))
            if expense not in self._spending:
                entry = Entry(expense=expense, client=self._client, time=self._clock(), budget=self._limit)
                self._add(held.add, entry)
        return Spent(
            epsilon=self._spending.epsilon_of(expense.share, expense.delta),
            of_run=self._of_runs[expense.run].epsilon_of(expense.share, expense.delta),
            budget=self._limit,
        )

    def entries(self) -> Sequence[Entry]:
        """All that stands in it, in the order in which it was entered."""
        with self._saying_what_is_wrong():
            self._take(self._journal.read())
        return tuple(self._entries)

    @property
    def _limit(self) -> float | None:
        return None if self._budget is None else self._budget.epsilon

    def _check(self, expense: Expense) -> None:
        budget = self._budget
        if budget is None or expense in self._spending:
            return
        if expense.delta > budget.delta:
            raise Declined(
                "privacy_delta",
                f"privacy_delta = {budget.delta:g}, and the run's delta is {expense.delta:g}",
            )
        after = self._spending.epsilon_with(expense)
        if after > budget.epsilon:
            spent = self._spending.epsilon_of(expense.share, expense.delta)
            raise Declined(
                "privacy_budget",
                f"privacy_budget = {budget.epsilon:g}, of which {spent:.2f} is spent on {self._dataset}, and "
                f"this round would make it {after:.2f}",
            )

    def _add(self, add: Callable[[bytes], None], kept: Heading | Entry) -> None:
        text = kept.to_text()
        add(text)
        self._take([text])

    def _take(self, texts: Sequence[bytes]) -> None:
        for text in texts:
            if self._is_begun:
                self._count(Entry.from_text(text))
                continue
            if (dataset := Heading.from_text(text).dataset) != self._dataset:
                raise EntryUnreadable(f"it is the ledger of {dataset!r}")
            self._is_begun = True

    def _count(self, entry: Entry) -> None:
        self._entries.append(entry)
        self._spending.add(entry.expense)
        self._of_runs[entry.expense.run].add(entry.expense)

    @contextmanager
    def _saying_what_is_wrong(self) -> Iterator[None]:
        """Raise LedgerUnusable in place of what is raised; and again, once an entry could not be read."""
        if self._unreadable is not None:
            raise self._unreadable
        try:
            yield
        except JournalUnusable as error:
            raise self._unusable(str(error)) from error
        except EntryUnreadable as error:
            path = self._journal.path.absolute()
            self._unreadable = self._unusable(f"{path} cannot be read: {error}")
            raise self._unreadable from error

    def _unusable(self, problem: str) -> LedgerUnusable:
        return LedgerUnusable(
            f"The privacy ledger {problem}. Nothing that was learned from {self._dataset} leaves this client "
            "before that is mended: restore the file from a copy and start the client again. Without the "
            "file the account of what was spent begins anew."
        )


def ledger_file(home: Path, dataset: str) -> Path:
    """Where the ledger of a data set is."""
    return home / FOLDER / f"{dataset}{SUFFIX}"


def datasets_in(home: Path) -> list[str]:
    """The data sets of which there is a ledger."""
    return sorted(path.name.removesuffix(SUFFIX) for path in (home / FOLDER).glob(f"*{SUFFIX}"))
