"""How a process ended, in words."""

from __future__ import annotations

import os
import re
import signal

MEANINGS = {
    signal.SIGSEGV: "it crashed: compiled code touched memory that is not its own",
    signal.SIGBUS: "it crashed: compiled code touched memory that is not there",
    signal.SIGILL: "it crashed: this processor does not know an instruction that it came to",
    signal.SIGFPE: "it crashed: compiled code calculated what cannot be",
    signal.SIGABRT: "it aborted, as compiled code does that finds an error it cannot handle",
    signal.SIGKILL: "it was killed, perhaps because the memory ran out",
    signal.SIGTERM: "it was told to end",
    signal.SIGXCPU: "it had used up the processor time that it may use",
}
FATAL = re.compile(r"^Fatal Python error: .*$", re.MULTILINE)
PLACE = re.compile(r'^  File ".*", line \d+ in .*$', re.MULTILINE)
"""How Python reports a crash: what it was, then all threads, then a list of modules."""

MAX_LINE = 1_000


def reason_of(status: int | None, last: str) -> str:
    """Why the process is gone. `status` as waitpid has it, None where nobody knows; `last`: what it wrote to
    stderr before that."""
    if status is None:
        what = "Its process is gone, and so is the one that watched over it"
    else:
        what = f"Its process ended: {_how(status)}"
    line = _line_that_says_most(last)
    return f"{what}. The last that it printed: {line[:MAX_LINE]}" if line else f"{what}."


def _line_that_says_most(last: str) -> str:
    if (fatal := FATAL.search(last)) is not None:
        place = PLACE.search(last, fatal.end())
        return fatal[0] if place is None else f"{fatal[0]},{place[0][1:]}"
    lines = [line.strip() for line in last.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return "it left by itself (exit code 0) before it was done"
    if code > 0:
        return f"it left by itself, with exit code {code}"
    try:
        number = signal.Signals(-code)
    except ValueError:
        return f"by signal {-code}"
    return f"{MEANINGS.get(number, 'by a signal')} ({number.name})"
