"""The key of an app's run config that says how many rounds it runs.

Flower leaves that to the app. Of its own 57 examples, baselines and tests (April 2026), 40 call it
`num-server-rounds`, one `algorithm.num-server-rounds` and one `num_server_rounds`; 15 have none. Its older
templates have it as a text, and other people's apps under similar names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.errors import RoundsKeyInvalid
from shared.wire import ConfigScalar

ROUNDS_KEY = "num-server-rounds"
"""The name that Flower's own apps have for it."""

_USUAL = ("num", "server", "rounds")
_QUALIFIERS = frozenset(
    {"num", "n", "nb", "nr", "number", "of", "total"}
    | {"server", "global", "fl", "federated", "federation", "comm", "communication"}
)
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+")


def candidates(config: Mapping[str, ConfigScalar]) -> tuple[str, ...]:
    """The keys that could say it by their names and values; the one if there is exactly one.

    `num-server-rounds` goes before all others, then what is called the same in another spelling or table.
    """
    possible = [key for key, value in config.items() if _as_rounds(value) is not None]
    if ROUNDS_KEY in possible:
        return (ROUNDS_KEY,)
    usual = tuple(key for key in possible if _words(key) == _USUAL)
    return usual or tuple(key for key in possible if _are_rounds(_words(key)))


def named(key: str, config: Mapping[str, ConfigScalar]) -> str:
    """A key that a person has named. Raises RoundsKeyInvalid, in words, where it cannot say it."""
    if key not in config:
        known = f"Its keys are {', '.join(sorted(config))}." if config else "It has no run config at all."
        raise RoundsKeyInvalid(f"there is no {key!r} in the app's run config. {known}")
    if _as_rounds(config[key]) is None:
        raise RoundsKeyInvalid(
            f"{key!r} cannot be the number of rounds: the app has {config[key]!r} there, which is no whole "
            "number from 1 up."
        )
    return key


def why_unknown(config: Mapping[str, ConfigScalar]) -> str:
    """Why nobody can know which key says it, in words."""
    several = candidates(config)
    if several:
        return f"{', '.join(several[:-1])} and {several[-1]} in the app's run config could each be meant"
    return "no key of the app's run config is known to say how many rounds it runs"


def rounds_in(config: Mapping[str, ConfigScalar], key: str | None) -> int | None:
    """How many rounds a run config asks for; None if it does not say."""
    return None if key is None or key not in config else _as_rounds(config[key])


def as_the_app_has_it(rounds: int, own: ConfigScalar) -> ConfigScalar:
    """A number of rounds, as a text where the app has one (older templates of Flower's do)."""
    return str(rounds) if isinstance(own, str) else rounds


def _as_rounds(value: ConfigScalar) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len(str(2**63)):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _words(key: str) -> tuple[str, ...]:
    """`algorithm.numServer_rounds`: num, server, rounds."""
    return tuple(word.lower() for word in _WORD.findall(key.rpartition(".")[2]))


def _are_rounds(words: tuple[str, ...]) -> bool:
    return words[-1:] == ("rounds",) and _QUALIFIERS.issuperset(words[:-1])
