"""What is said of a run in words, made from its codes. Programs read the codes, people the words."""

from __future__ import annotations

from app.records import WaitingFor, WaitKind

RETURN_GRACE_S = 10.0
"""How long a run that was cut waits for the clients that it had, once enough others are there."""


def waiting(waiting_for: WaitingFor, detail: str = "") -> str:
    """Why a run waits. `detail`: what the codes do not tell, such as the name of a data set."""
    match waiting_for.kind:
        case WaitKind.TURN:
            return "waiting for the run before it to end"
        case WaitKind.DATA:
            return f"loading the data set {detail}"
        case WaitKind.MODEL:
            return "evaluating the model on the test set"
        case WaitKind.APP:
            return detail
        case WaitKind.CLIENTS:
            words = f"waiting for {_more(waiting_for, 'client', 'clients')}"
            return f"{words}: {detail}" if detail else words
        case WaitKind.RETURN:
            return f"waiting up to {RETURN_GRACE_S:.0f} s for {', '.join(waiting_for.clients)} to come back"
        case WaitKind.REPLIES:
            holdups = (
                f"{client_id} is {'lost' if client_id in waiting_for.lost else 'late'}"
                for client_id in waiting_for.clients
            )
            return f"waiting for {_more(waiting_for, 'reply', 'replies')}: {'; '.join(holdups)}"
        case WaitKind.RETRY:
            return f"waiting to try again, when a client comes or by request: {detail}"


def _more(waiting_for: WaitingFor, one: str, many: str) -> str:
    """`1 more client (1 of 2)`."""
    have, need = waiting_for.have or 0, waiting_for.need or 0
    more = max(need - have, 0)
    return f"{more} more {one if more == 1 else many} ({have} of {need})"
