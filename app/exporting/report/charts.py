"""Curves as SVG: where each line, tick and name stands, in the units of the drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 150, 8, 28
LABEL_HEIGHT = 13
MOST_POINTS = 400

COLOURS = ("#1b7fb8", "#95700a", "#00684f", "#ad2e7f", "#555c27", "#8b1900", "#2529c5")
DASHES = ("none", "6 3", "2 3")
"""As the page has them in `clients/colours.ts`, where it says how they were chosen."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A line before it is drawn; points by ascending x."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Line:
    """A line as it is drawn, with its name at its end."""

    name: str
    path: str
    colour: str
    dash: str
    label_x: float
    label_y: float


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    title: str
    lines: Sequence[Line]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def chart(title: str, series: Sequence[Series]) -> Chart | None:
    """The drawing of those series that have a point; None where none has."""
    known = [(place, _thinned(each)) for place, each in enumerate(series) if each.points]
    if not known:
        return None
    x_ticks = ticks(*_ends(x for _, each in known for x, _ in each.points), whole=True)
    y_ticks = ticks(*_ends(y for _, each in known for _, y in each.points))

    def x_of(value: float) -> float:
        return round(_between(value, x_ticks, LEFT, WIDTH - RIGHT), 1)

    def y_of(value: float) -> float:
        return round(_between(value, y_ticks, HEIGHT - BOTTOM, TOP), 1)

    ends = _apart([y_of(each.points[-1][1]) for _, each in known])
    return Chart(
        title=title,
        lines=[
            Line(
                name=each.name,
                path="M" + "L".join(f"{x_of(x)} {y_of(y)}" for x, y in _drawn(each.points)),
                colour=COLOURS[place % len(COLOURS)],
                dash=DASHES[place // len(COLOURS) % len(DASHES)],
                label_x=x_of(each.points[-1][0]) + 6,
                label_y=end,
            )
            for (place, each), end in zip(known, ends, strict=True)
        ],
        x_ticks=[Tick(x_of(value), f"{value:g}") for value in x_ticks],
        y_ticks=[Tick(y_of(value), f"{value:g}") for value in y_ticks],
    )


def ticks(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Round values from at most `low` to at least `high`, about five of them."""
    if high <= low:
        high = low + (1.0 if whole or low == 0 else abs(low) * 0.1)
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    step = max(1.0, step) if whole else step
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _ends(values: Iterable[float]) -> tuple[float, float]:
    known = list(values)
    return min(known), max(known)


def _between(value: float, along: Sequence[float], start: float, end: float) -> float:
    return start + (value - along[0]) / (along[-1] - along[0]) * (end - start)


def _thinned(series: Series) -> Series:
    """At most so many points as can be told apart; the last is always one of them."""
    step = math.ceil(len(series.points) / MOST_POINTS)
    kept = [point for place, point in enumerate(reversed(series.points)) if place % step == 0]
    return Series(series.name, kept[::-1])


def _drawn(points: Sequence[Point]) -> Sequence[Point]:
    """A single point is a line without length, of which the round cap is seen."""
    return points if len(points) > 1 else (points[0], points[0])


def _apart(wanted: Sequence[float]) -> list[float]:
    """Names so far from each other that all can be read, each as near to its line's end as that allows."""
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    placed, floor, ceiling = list(wanted), float(TOP), float(HEIGHT - BOTTOM)
    for place in order:
        placed[place] = max(wanted[place], floor)
        floor = placed[place] + LABEL_HEIGHT
    for place in reversed(order):
        placed[place] = min(placed[place], ceiling)
        ceiling = placed[place] - LABEL_HEIGHT
    return placed
