"""How a process ended, in words."""

from __future__ import annotations

import os
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
MAX_LAST = 1_000


def reason_of(status: int | None, last: str) -> str:
    """Why the process is gone. `status` as waitpid has it, None where nobody knows; `last`: what it wrote to
    stderr before that."""
    what = "Its process is gone" if status is None else f"Its process ended: {_how(status)}"
    lines = [line.strip() for line in last[-MAX_LAST:].splitlines() if line.strip()]
    return f"{what}. The last that it printed: {lines[-1]}" if lines else f"{what}."


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
