"""What a strategy's methods return, as far as it is told: a round's number, and numbers by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import islice
from numbers import Integral, Real
from typing import Any

MAX_METRICS = 10_000
MAX_NAME = 200
"""Of one result are told, and characters of a name."""

MAX_NUMBER = 2**53
"""A larger number is none of a round."""


def round_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | None:
    """The round, which is the first argument of all that is told."""
    number = args[0] if args else kwargs.get("server_round")
    number = int(number) if isinstance(number, Integral) else MAX_NUMBER + 1
    return number if abs(number) <= MAX_NUMBER else None


def with_loss(result: Any) -> dict[str, Any]:
    """The loss and the metrics of the older style, as metrics."""
    loss, metrics = result
    return {**(metrics or {}), "loss": loss}


def numbers_in(metrics: Any) -> dict[str, float]:
    """What of metrics is a finite number."""
    items = islice(metrics.items() if metrics is not None else (), MAX_METRICS)
    numbers = {str(name)[:MAX_NAME]: _number(value) for name, value in items}
    return {name: number for name, number in numbers.items() if number is not None}


def _number(value: Any) -> float | None:
    """A number, or an array or a tensor of no dimensions, as a float."""
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    if not isinstance(value, Real) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
