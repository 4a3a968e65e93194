"""The JSON of Socket.IO's packets, in which what is JSON already stays as it is."""

from __future__ import annotations

import json
from typing import Any


class Encoded(str):
    """Text that is a JSON value. As the one argument of a message it is not encoded again."""

    __slots__ = ()


def dumps(data: Any, **options: Any) -> str:
    """As the standard library's; a message with one encoded argument is put together."""
    if isinstance(data, list) and len(data) == 2 and isinstance(data[1], Encoded):
        return f"[{json.dumps(data[0])},{data[1]}]"
    return json.dumps(data, **options)


loads = json.loads
