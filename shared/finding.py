"""Finding: what a check has come to, as a line for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """As `./start.sh doctor` has them, too."""

    OK = "ok"
    WARNING = "warning"
    """it works, or may, but somebody should know"""
    PROBLEM = "problem"
    """it does not work"""


@dataclass(frozen=True)
class Finding:
    """What is so, and what to do about it, in sentences."""

    check: str
    level: Level
    words: str
    todo: str = ""

    @property
    def is_problem(self) -> bool:
        """Whether this machine cannot join before it is mended."""
        return self.level is Level.PROBLEM

    def __str__(self) -> str:
        words = " ".join(filter(None, (self.words, self.todo)))
        return f"  {self.level:<9}{self.check:<14}{words}"


def ok(check: str, words: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, words)


def warning(check: str, words: str, todo: str = "") -> Finding:
    """Somebody should know."""
    return Finding(check, Level.WARNING, words, todo)


def problem(check: str, words: str, todo: str = "") -> Finding:
    """It does not work."""
    return Finding(check, Level.PROBLEM, words, todo)
