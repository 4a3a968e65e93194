"""The messages of secure aggregation, as they travel in records of Flower's.

One record of each message, by the name RECORD, has what is said; lists that belong together have the same
length. What a message lacks raises Unreadable, at either end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from flwr.app import ConfigRecord

from shared.secagg.session import Revealed, RoundKeys

RECORD = "secagg"
PREFIX = "query.secagg_"
KEYS, SHARES, BOXES, CONFIRM, REVEAL = (
    f"{PREFIX}{name}" for name in ("keys", "shares", "boxes", "confirm", "reveal")
)
"""The types of the messages, in the order in which they are sent; that of training comes after BOXES."""

SESSION = "secagg-session"
"""The key in the config of a message of training that names the session."""
MASKED = "masked"
"""The name of the record in its reply, and of the array in that, which holds the masked update."""

MOST = 10_000
"""Entries that a list may have."""

_Entry = TypeVar("_Entry", int, str, bytes)


class Unreadable(ValueError):
    """A message of secure aggregation does not hold what it must."""


@dataclass(frozen=True)
class KeysWanted:
    """The beginning of a session: who is asked, by which server, and for which model."""

    server: bytes
    nonce: bytes
    round: int
    cohort: tuple[int, ...]
    model: bytes

    def record(self) -> ConfigRecord:
        """As it travels."""
        return ConfigRecord({**vars(self), "cohort": list(self.cohort)})

    @classmethod
    def read(cls, record: ConfigRecord) -> KeysWanted:
        """The inverse."""
        cohort = tuple(_list(record, "cohort", int))
        return cls(
            _bytes(record, "server"), nonce_in(record), _int(record, "round"), cohort, _bytes(record, "model")
        )


def keys_record(keys: Sequence[RoundKeys], nonce: bytes = b"") -> ConfigRecord:
    """The keys of one client, or those of all."""
    columns: dict[str, Any] = {name: [getattr(each, name) for each in keys] for name in _KEY_COLUMNS}
    return ConfigRecord({"nonce": nonce, **columns})


def read_keys(record: ConfigRecord) -> list[RoundKeys]:
    """The inverse."""
    names = _list(record, "client_id", str)
    columns = [_list(record, name, bytes, len(names)) for name in _KEY_COLUMNS[1:]]
    return [RoundKeys(name, *rest) for name, *rest in zip(names, *columns, strict=True)]


def read_own_keys(record: ConfigRecord) -> RoundKeys:
    """Those of one client."""
    keys = read_keys(record)
    if len(keys) != 1:
        raise Unreadable("they are not the keys of one client")
    return keys[0]


_KEY_COLUMNS = ("client_id", "identity", "model", "box_key", "mask_key", "seed", "signature")


def boxes_record(boxes: Mapping[int, bytes], nonce: bytes = b"", sharers: Iterable[int] = ()) -> ConfigRecord:
    """Boxes by the client that they are for, or from; `sharers`: who has sent some."""
    return ConfigRecord(
        {"nonce": nonce, "sharers": sorted(sharers), "clients": list(boxes), "boxes": list(boxes.values())}
    )


def read_boxes(record: ConfigRecord) -> tuple[list[int], dict[int, bytes]]:
    """Who has sent boxes, and the boxes."""
    clients = _list(record, "clients", int)
    boxes = _list(record, "boxes", bytes, len(clients))
    return _list(record, "sharers", int), dict(zip(clients, boxes, strict=True))


def survivors_record(survivors: Iterable[int], nonce: bytes) -> ConfigRecord:
    """Whose masked update has come."""
    return ConfigRecord({"nonce": nonce, "survivors": sorted(survivors)})


def read_survivors(record: ConfigRecord) -> list[int]:
    """The inverse."""
    return _list(record, "survivors", int)


def confirmation_record(signature: bytes) -> ConfigRecord:
    """A client's signature under the list of survivors."""
    return ConfigRecord({"signature": signature})


def read_confirmation(record: ConfigRecord) -> bytes:
    """The inverse."""
    return _bytes(record, "signature")


@dataclass(frozen=True)
class RevealWanted:
    """The question for shares."""

    alive: tuple[int, ...]
    dead: tuple[int, ...]
    confirmations: Mapping[int, bytes]

    def record(self, nonce: bytes) -> ConfigRecord:
        """As it travels."""
        return ConfigRecord(
            {
                "nonce": nonce,
                "alive": list(self.alive),
                "dead": list(self.dead),
                "signers": list(self.confirmations),
                "signatures": list(self.confirmations.values()),
            }
        )

    @classmethod
    def read(cls, record: ConfigRecord) -> RevealWanted:
        """The inverse."""
        signers = _list(record, "signers", int)
        signatures = _list(record, "signatures", bytes, len(signers))
        return cls(
            tuple(_list(record, "alive", int)),
            tuple(_list(record, "dead", int)),
            dict(zip(signers, signatures, strict=True)),
        )


def revealed_record(revealed: Revealed) -> ConfigRecord:
    """A client's shares."""
    return ConfigRecord(
        {
            "alive": list(revealed.seeds),
            "seeds": list(revealed.seeds.values()),
            "dead": list(revealed.keys),
            "keys": list(revealed.keys.values()),
        }
    )


def read_revealed(record: ConfigRecord) -> Revealed:
    """The inverse."""
    alive, dead = _list(record, "alive", int), _list(record, "dead", int)
    seeds, keys = _list(record, "seeds", bytes, len(alive)), _list(record, "keys", bytes, len(dead))
    return Revealed(dict(zip(alive, seeds, strict=True)), dict(zip(dead, keys, strict=True)))


READ_REPLY: Mapping[str, Callable[[ConfigRecord], object]] = {
    KEYS: read_own_keys,
    SHARES: read_boxes,
    BOXES: lambda record: None,
    CONFIRM: read_confirmation,
    REVEAL: read_revealed,
}
"""What reads the replies, by the type of the message."""


def nonce_in(record: ConfigRecord) -> bytes:
    """The session that a message is of."""
    return _bytes(record, "nonce")


def _bytes(record: ConfigRecord, name: str) -> bytes:
    value = record.get(name)
    if not isinstance(value, bytes):
        raise Unreadable(f"{name} is missing")
    return value


def _int(record: ConfigRecord, name: str) -> int:
    value = record.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"{name} is missing")
    return value


def _list(record: ConfigRecord, name: str, kind: type[_Entry], length: int | None = None) -> list[_Entry]:
    value = record.get(name)
    if (
        not isinstance(value, list)
        or len(value) > MOST
        or len(value) != (length if length is not None else len(value))
    ):
        raise Unreadable(f"the list {name} is missing, or has another length")
    entries = [each for each in value if isinstance(each, kind) and not isinstance(each, bool)]
    if len(entries) < len(value):
        raise Unreadable(f"the list {name} holds something else")
    return entries
