"""What is said of a run in words, made from its codes. Programs read the codes, people the words."""

from __future__ import annotations

from app.records import Round, Run, WaitingFor, WaitKind
from shared.error_line import error_line
from shared.error_text import error_text, traceback_text

RETURN_GRACE_S = 10.0
"""How long a run that was cut waits for the clients that it had, once enough others are there."""

PAUSED = "paused by request"
STOPPED = "stopped by request"
SHUT_DOWN = "the server was shut down"
CUT = "the server ended while it was going on"


def waiting(waiting_for: WaitingFor, detail: str = "") -> str:
    """Why a run waits. `detail`: what the codes do not tell, such as the name of a data set."""
    match waiting_for.kind:
        case WaitKind.TURN:
            return "waiting for the run before it to end"
        case WaitKind.DATA:
            return f"loading the data set {detail}"
        case WaitKind.MODEL:
            return "evaluating the model on the test set"
        case WaitKind.APP if waiting_for.have is None:
            return f"loading the app {detail}"
        case WaitKind.APP:
            return f"the app computes on the server, or waits for more clients than {waiting_for.have}"
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


def unexpected(error: BaseException) -> str:
    """Why a run failed that ended by an error which nobody foresaw."""
    return f"An unexpected error ended the run: {_named(error)}"


def shortage(error: BaseException) -> str:
    """Why a run was interrupted for which the machine had too little of something."""
    return (
        f"The machine ran out of something: {error_text(error)}. "
        "Nothing that was kept is lost. Make room, then resume the run."
    )


def app_ended_by(reason: str) -> str:
    """Why a run failed whose app raised something (`reason`: what, in a line)."""
    return f"The ServerApp ended by {reason}"


def app_died(how: str) -> str:
    """Why a run failed whose app's process ended (`how`: in sentences)."""
    return f"The ServerApp did not come to its end. {how}"


def app_died_at_import(name: str, how: str) -> str:
    """Why an app cannot be used whose process ends while it imports the app."""
    return f"The ServerApp of the Flower app {name} cannot be imported. {how}"


def refused(run: Run, command: str) -> str:
    """Why a run cannot be stopped, paused or resumed (`command`)."""
    return f"Run {run.id} cannot be {command}: it is {run.state}."


def state_lost(run: Run) -> str:
    """Why an interrupted run of another Flower app cannot be resumed."""
    return (
        f"Run {run.id} cannot go on where it was: nobody but the app {run.spec.app} knows its state. "
        "Start a new run with the same settings instead."
    )


def of_another_app(run: Run, served: str | None) -> str:
    """Why a run does not go on for the time being: the server runs `served` (None: the built-in app)."""
    if run.spec.app is None:
        return (
            f"Run {run.id} is one of the built-in app, and this server runs {served}. "
            "It goes on when the server is started without --app."
        )
    return (
        f"Run {run.id} is one of the app {run.spec.app!r}, which this server was not started with. "
        "It goes on when the server is started with --app and that app's folder."
    )


def does_not_fit(run: Run, problem: str) -> str:
    """Why a run does not go on for the time being: the app has changed since the run was queued."""
    return (
        f"Run {run.id} does not fit the app {run.spec.app} as it is now. {problem} "
        "It goes on when the server is started with an app that it fits."
    )


def _named(error: BaseException) -> str:
    """An exception in a line; of a group, also what is in it."""
    if isinstance(error, BaseExceptionGroup):
        return error_line(traceback_text(error))
    return error_text(error)


def _more(waiting_for: WaitingFor, one: str, many: str) -> str:
    """`1 more client (1 of 2)`."""
    have, need = waiting_for.have or 0, waiting_for.need or 0
    more = max(need - have, 0)
    return f"{more} more {one if more == 1 else many} ({have} of {need})"


def end_of_round(done: Round, asked_to_train: int) -> str:
    """What a round has come to, for the log."""
    name = f"round {done.round}" if done.label is None else f"round {done.round} (the app's {done.label})"
    what = "over" if done.round else "(initial model)"
    if done.clients:
        what = f"aggregated from {done.clients} of {asked_to_train} clients"
    results = [
        f"{name} {value:{form}}"
        for name, value, form in (
            ("accuracy", done.accuracy, ".1%"),
            ("loss", done.loss, ".4f"),
            ("clients' accuracy", done.client_accuracy, ".1%"),
            ("clients' loss", done.client_loss, ".4f"),
        )
        if value is not None
    ]
    return f"{name} {what}: {', '.join(results)}" if results else f"{name} {what}"
