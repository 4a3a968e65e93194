"""What an error says of itself, also when it is of a kind that breaks whoever asks it.

An app's exceptions are its own: `__str__` may raise, a message may hold what is no UTF-8.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from .text import printable

HERE = Path(__file__).parent


def message_of(error: BaseException) -> str:
    """What the error says, without its type."""
    try:
        return printable(str(error))
    except BaseException:  # noqa: BLE001 - whatever it is, the error before it is what matters
        return "its message cannot be shown"


def error_text(error: BaseException) -> str:
    """`Type: message`; of an error without a message, its type."""
    text, name = message_of(error), type(error).__name__
    return f"{name}: {text}" if text else name


def from_the_app(error: BaseException) -> BaseException:
    """The error, with a traceback that begins where the host called the app."""
    place = error.__traceback__
    while place is not None and Path(place.tb_frame.f_code.co_filename).parent == HERE:
        place = place.tb_next
    return error.with_traceback(place)


def traceback_text(error: BaseException) -> str:
    """The traceback as Python prints it."""
    try:
        return printable("".join(traceback.format_exception(error)))
    except BaseException:  # noqa: BLE001 - as above
        return error_text(error)
