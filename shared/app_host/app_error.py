"""What an app raised, in words: also an error that breaks whoever asks it what it says."""

from __future__ import annotations

import traceback
from pathlib import Path

HERE = Path(__file__).parent


def raised(error: BaseException) -> dict[str, str]:
    """`reason`: `Type: message`; `traceback`: as Python prints it, from where the app was called."""
    return {"reason": _reason(error), "traceback": _traceback(error)}


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"sys.exit({error.code!r})"
    name = type(error).__name__
    text = _message(error)
    return f"{name}: {text}" if text else name


def _message(error: BaseException) -> str:
    try:
        return _printable(str(error))
    except BaseException:  # noqa: BLE001 - whatever it is, the error before it is what matters
        return "its message cannot be shown"


def _traceback(error: BaseException) -> str:
    place = error.__traceback__
    while place is not None and Path(place.tb_frame.f_code.co_filename).parent == HERE:
        place = place.tb_next  # the way to the app
    try:
        return _printable("".join(traceback.format_exception(type(error), error, place)))
    except BaseException:  # noqa: BLE001 - as above
        return _reason(error)


def _printable(text: str) -> str:
    """Without what is no UTF-8."""
    return text.encode("utf-8", "replace").decode()
