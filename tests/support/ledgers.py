"""Expenses for tests of the ledger."""

from __future__ import annotations

import hashlib
from typing import Any

from client.ledger.entry import Expense, Share


def share(part: int = 0, division: str = "3 parts") -> Share:
    """One of a division's parts."""
    return Share(division=division, part=part)


def expense(number: int = 1, **values: Any) -> Expense:
    """That of a round of a run; what costs is what a private round on digits costs."""
    fields: dict[str, Any] = {
        "id": hashlib.sha256(repr((number, sorted(values.items()))).encode()).hexdigest(),
        "run": "0000002a",
        "round": number,
        "model": hashlib.sha256(b"model %d" % number).hexdigest(),
        "share": share(),
        "noise_multiplier": 1.0,
        "sample_rate": 0.08,
        "steps": 13,
        "delta": 1e-5,
    }
    return Expense(**(fields | values))
