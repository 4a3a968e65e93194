"""What Flower's commands can ask for and a FedLoom server does not have: the answer, in words."""

from __future__ import annotations

from app.records import Status

_LOGIN = frozenset({"get-login-details", "get-auth-tokens", "refresh-auth-tokens"})


def not_here(call: str, status: Status) -> str:
    """Why a call of Flower's control API is not answered, and what to do instead."""
    if call in _LOGIN:
        return (
            "This server has no accounts: nobody logs in, and whoever reaches it can start and stop runs. "
            "Use `flwr run`, `list`, `log` and `stop` without `flwr login`."
        )
    if "federation" in call or "invitation" in call:
        return "This server has no federations: all clients that have joined it take part in its runs."
    if "node" in call:
        return (
            "This server's clients are no SuperNodes: each joins by itself. The page shows those that are "
            f"there; one more joins with `{status.join_command}`."
        )
    if call == "pull-artifacts":
        return (
            "This server keeps the results of its runs itself: its page exports them, and so does "
            f"`{status.export_command}` with a run's id."
        )
    return f"This server does not know {call[:100]!r}. It answers `flwr run`, `list`, `log` and `stop`."
