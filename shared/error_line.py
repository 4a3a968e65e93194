"""The line of a traceback that says what went wrong, for people who do not want to read all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shared.error_text import message_of

MAX_LINE = 500
"""Characters that are shown."""

_MAX_READ = 16_384
"""Characters at the end of a text that are looked at: somebody may have sent any number of boxes in boxes."""

_HEADER = re.compile(r"(?:  [+|] )?(?:Exception Group )?Traceback \(most recent call last\):$")
_BOXED = re.compile(r"  \| ?(.*)$")
_MEMBER_BEGINS = re.compile(r"  (?:\+-|  )\+-+ [\d.]+ -+$")


def error_line(reason: str | None) -> str:
    """The line that names the error in a traceback as Python prints it; of any other text, the last line.

    In a traceback, causes and frames come before that line; further lines of its message, notes and, in
    boxes, the members of an exception group come after it. What the members are is named as well.
    """
    lines = [line for line in (reason or "")[-_MAX_READ:].splitlines() if line.strip(" |+-")]
    if not lines:
        return "no reason given"
    header = _last_header(lines)
    if header is None:
        return lines[-1].strip(" |+-")[:MAX_LINE]
    if not lines[header].startswith("Traceback"):
        return _boxed_line(lines)[:MAX_LINE]
    return (_own_line(lines[header + 1 :]) or lines[-1].strip())[:MAX_LINE]


def error_of(error: BaseException) -> str:
    """An exception's type and message on one line, also of one that cannot be printed."""
    lines = message_of(error).strip().splitlines()
    return ": ".join([type(error).__name__, *lines[:1]])[:MAX_LINE]


def _last_header(lines: Sequence[str]) -> int | None:
    return max((index for index, line in enumerate(lines) if _HEADER.match(line)), default=None)


def _own_line(lines: Sequence[str]) -> str:
    """The first line after the frames; with the next one, if the message only begins there."""
    own = next((index for index, line in enumerate(lines) if not line.startswith(" ")), None)
    if own is None:
        return ""
    goes_on = lines[own].rstrip().endswith(":") and own + 1 < len(lines)
    return f"{lines[own].rstrip()} {lines[own + 1].strip()}" if goes_on else lines[own]


def _boxed_line(lines: Sequence[str]) -> str:
    """The same of an exception in a box; of a group, with what is in it."""
    header = _last_header(lines)
    lines = lines if header is None else lines[header + 1 :]
    own = _own_line([found[1] for line in lines if (found := _BOXED.match(line))])
    members = [_boxed_line(member) for member in _members(lines)]
    return f"{own}: {'; '.join(members)}" if members else own


def _members(lines: Sequence[str]) -> Iterator[list[str]]:
    """What is printed of each member of an exception group, moved to the left to stand as the group did."""
    member: list[str] | None = None
    for line in lines:
        if _MEMBER_BEGINS.match(line):
            if member:
                yield member
            member = []
        elif member is not None and line.startswith("    "):
            member.append(line[2:])
    if member:
        yield member
