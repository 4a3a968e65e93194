"""What is said of an engine's failures, and of its clients'."""

from __future__ import annotations

import re

from shared.errors import AppDied, EngineFailed

_WRAPPED = re.compile(r"^<class '[^']*'>:<'(.*)'>$", re.DOTALL)
"""How Flower reports what a client of its simulation has raised."""


def failed_by(engine: str, error: AppDied) -> EngineFailed:
    """Why a run cannot go on whose engine's process is gone."""
    return EngineFailed(
        f"{engine} did not come to the run's end. {error} "
        "Resume the run to go on from its newest checkpoint.",
        error.last,
    )


def reason_in(reported: str) -> str:
    """The error of a client in what its engine says of it: the last line, below the frames that led there."""
    wrapped = _WRAPPED.match(reported.strip())
    lines = [line.strip() for line in (wrapped[1] if wrapped else reported).splitlines() if line.strip()]
    return lines[-1] if lines else "The engine has no reply of this client, and does not say why."
