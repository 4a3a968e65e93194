"""How much of the machine's memory this process occupies, as Linux counts it (see proc(5))."""

from __future__ import annotations

from pathlib import Path

from bench.crew import BenchFailed

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def resident_bytes() -> int:
    """What is resident now."""
    return _field("VmRSS")


def reset_peak() -> None:
    """Count the peak from here on. Raises BenchFailed where the system cannot."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK, encoding="ascii")
    except OSError as error:
        raise BenchFailed(
            f"The peak of a process's memory can be measured on Linux only, with /proc: {error}"
        ) from None


def peak_bytes() -> int:
    """The most that was resident at any moment since `reset_peak`."""
    return _field("VmHWM")


def _field(name: str) -> int:
    try:
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BenchFailed(f"A process's memory can be measured on Linux only, with /proc: {error}") from None
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields[name].split()[0]) * 1024
