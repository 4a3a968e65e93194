"""Which function of a ClientApp answers a message, as far as that can be seen."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import CodeType

from flwr.clientapp import ClientApp


def where_it_answers(app: ClientApp, message_type: str) -> str:
    """The function that a message gets to, with its place: `` `train` (pkg/client_app.py, line 12)``."""
    name = message_type if "." in message_type else f"{message_type}.default"
    function = _innermost(getattr(app, "_registered_funcs", {}).get(name) or getattr(app, "_call", None))
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType):
        return f"What the ClientApp has for {message_type}"
    return f"`{code.co_name}` of the ClientApp ({_path(code.co_filename)}, line {code.co_firstlineno})"


def _innermost(function: object) -> object:
    """The app's own function below Flower's mods, an older app's `client_fn`, and its own decorators."""
    while (inner := _wrapped(function)) is not None:
        function = inner
    return inspect.unwrap(function) if callable(function) else function


def _wrapped(function: object) -> object:
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    if not isinstance(code, CodeType) or not cells or not _is_flowers(function):
        return None
    inside = {name: cell.cell_contents for name, cell in zip(code.co_freevars, cells, strict=True)}
    return inside.get("_ffn") or inside.get("client_fn")


def _is_flowers(function: object) -> bool:
    return getattr(function, "__module__", "").startswith("flwr.")


def _path(filename: str) -> str:
    """As it stands in the folder that it was imported from."""
    for place in sys.path:
        if place and Path(filename).is_relative_to(place):
            return Path(filename).relative_to(place).as_posix()
    return filename
