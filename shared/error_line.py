"""The line of a traceback that says what went wrong, for people who do not want to read all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shared.error_text import message_of

MAX_LINE = 500
"""Characters that are shown."""

_HEADER = re.compile(r"(?:  \+ Exception Group )?Traceback \(most recent call last\):$")
_GROUP_LINE = re.compile(r"  \| (\S.*)$")
_MEMBER_BEGINS = re.compile(r"  (?:\+-|  )\+-+ [\d.]+ -+$")
_MEMBER_LINE = re.compile(r"    \| ?(.*)$")


def error_line(reason: str | None) -> str:
    """The line that names the error in a traceback as Python prints it; of any other text, the last line.

    In a traceback, causes and frames come before that line; further lines of its message, notes and, in
    boxes, the members of an exception group come after it. What the members are is named as well.
    """
    lines = [line for line in (reason or "").splitlines() if line.strip(" |+-")]
    if not lines:
        return "no reason given"
    header = max((index for index, line in enumerate(lines) if _HEADER.match(line)), default=None)
    if header is None:
        return lines[-1].strip(" |+-")[:MAX_LINE]
    body = lines[header + 1 :]
    if not lines[header].startswith("Traceback"):
        body = [found[1] for line in body if (found := _GROUP_LINE.match(line))]
    own = next((line for line in body if not line.startswith(" ")), lines[-1].strip(" |+-"))
    members = [_named(member) for member in _members(lines[header:])]
    return (f"{own}: {'; '.join(members)}" if members else own)[:MAX_LINE]


def error_of(error: BaseException) -> str:
    """An exception's type and message on one line, also of one that cannot be printed."""
    lines = message_of(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]])[:MAX_LINE]


def _named(member: str) -> str:
    """The line that names a member of a group, which has no traceback if it was never raised."""
    return error_line(member) if "\nTraceback (" in f"\n{member}" else member.splitlines()[0]


def _members(lines: Sequence[str]) -> Iterator[str]:
    """What is printed of each member of an exception group."""
    member: list[str] = []
    for line in lines:
        if _MEMBER_BEGINS.match(line):
            yield from filter(None, ["\n".join(member)])
            member = []
        elif (inside := _MEMBER_LINE.match(line)) is not None:
            member.append(inside[1])
    yield from filter(None, ["\n".join(member)])
