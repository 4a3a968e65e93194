"""A ledger as JSON or CSV: what it comes to, and every entry."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

from client.ledger.account import Account
from client.ledger.entry import Entry
from shared.errors import SettingsInvalid
from shared.privacy.accounting import ACCOUNTANT

Books = Sequence[tuple[Account, Sequence[Entry]]]
"""Of each data set what its ledger comes to, and its entries."""

COLUMNS = (
    "data_set",
    "time",
    "client",
    "run",
    "round",
    "division",
    "part",
    "model",
    "id",
    "noise_multiplier",
    "sample_rate",
    "steps",
    "delta",
    "budget",
)


def export(books: Books, path: Path) -> str:
    """The content of a file, by the end of its name. Raises SettingsInvalid."""
    match path.suffix.lower():
        case ".json":
            return _json(books)
        case ".csv":
            return _csv(books)
    raise SettingsInvalid(f"{path.name} ends neither in .json nor in .csv, by which the format is chosen.")


def _json(books: Books) -> str:
    data_sets = [
        {**asdict(account), "left": account.left, "entries": [_row(account, entry) for entry in entries]}
        for account, entries in books
    ]
    return json.dumps({"accountant": ACCOUNTANT, "data_sets": data_sets}, indent=2) + "\n"


def _csv(books: Books) -> str:
    text = StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(account, entry) for account, entries in books for entry in entries)
    return text.getvalue()


def _row(account: Account, entry: Entry) -> dict[str, str | int | float | None]:
    expense = entry.expense
    values = (
        account.dataset,
        datetime.fromtimestamp(entry.time, UTC).isoformat(timespec="milliseconds"),
        entry.client,
        expense.run,
        expense.round,
        expense.share.division,
        expense.share.part,
        expense.model,
        expense.id,
        expense.noise_multiplier,
        expense.sample_rate,
        expense.steps,
        expense.delta,
        entry.budget,
    )
    return dict(zip(COLUMNS, values, strict=True))
