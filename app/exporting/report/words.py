"""Numbers, times and sizes as a report writes them, which is as the page does (`format/format.ts`)."""

from __future__ import annotations

from app.exporting.times import iso

NO_DATA = "–"


def percent(fraction: float | None) -> str:
    """0.9812: "98.1 %"."""
    return NO_DATA if fraction is None else f"{fraction * 100:.1f} %"


def number(value: float | None) -> str:
    """To four digits."""
    if value is None:
        return NO_DATA
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def points(difference: float | None) -> str:
    """A difference of accuracies, in points of per cent: "+1.2"."""
    return NO_DATA if difference is None else f"{difference * 100:+.1f}"


def duration(seconds: float | None) -> str:
    """As 0:41, 12:05, or from one hour on 1 h 12 min."""
    if seconds is None:
        return NO_DATA
    whole = max(0, int(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def size(amount: float | None) -> str:
    """Bytes as 1.6 MB."""
    if amount is None:
        return NO_DATA
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def time(seconds: float | None) -> str:
    """In UTC, to the second; nobody knows where the report is read."""
    text = iso(seconds)
    return NO_DATA if text is None else f"{text[:10]} {text[11:19]} UTC"


def value(setting: bool | int | float | str | None) -> str:
    """A setting."""
    match setting:
        case None:
            return NO_DATA
        case bool():
            return "yes" if setting else "no"
        case float():
            return f"{setting:g}"
    return str(setting)
