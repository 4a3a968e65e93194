"""How many clients a Flower app is made for: the simulated SuperNodes of its federations.

They stand in its pyproject.toml. Newer versions of Flower have them in the user's own configuration, which is
not looked at; so most of Flower's current examples do not say it.
"""

from __future__ import annotations

from typing import Any


def supernodes_of(federations: Any) -> int | None:
    """`options.num-supernodes` of the default federation in `[tool.flwr.federations]`, or else of the first
    that has it; None if none has."""
    if not isinstance(federations, dict):
        return None
    default = federations.get("default")
    named = [federations[default]] if isinstance(default, str) and default in federations else []
    for federation in (*named, *federations.values()):
        options = federation.get("options") if isinstance(federation, dict) else None
        number = options.get("num-supernodes") if isinstance(options, dict) else None
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            return number
    return None
