"""What a client refuses of its server, each by name."""

from __future__ import annotations

from enum import StrEnum

from shared.errors import FedLoomError


class Rule(StrEnum):
    """What the server has broken."""

    ORDER = "secagg-order"
    """a message that does not come now: of another session, or before its turn"""
    COHORT = "secagg-cohort"
    """too few clients, or a list of them that cannot be"""
    THRESHOLD = "secagg-threshold"
    """a threshold at or below two thirds"""
    KEYS = "secagg-keys"
    """keys that are not those of the clients whose they are said to be"""
    MODEL = "secagg-model"
    """another global model than the other clients have"""
    SHARES = "secagg-shares"
    """shares that were not made for this client, or not in this session"""
    SURVIVORS = "secagg-survivors"
    """lists of active and dead clients that overlap, or are not what others were told"""
    TWICE = "secagg-twice"
    """shares that were asked for before"""
    NOISE = "secagg-noise"
    """less noise than the run promises: none, of too few clients, or new noise on the same sum too often"""
    UNMASKED = "secagg-unmasked"
    """an update that is asked for without a mask"""


class Refused(FedLoomError):
    """A client takes no part in this any more: what the server asks for could open an update."""

    def __init__(self, rule: Rule, words: str) -> None:
        super().__init__(words)
        self.rule = rule
