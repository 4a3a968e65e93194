"""What is said of a run in words, made from its codes. Programs read the codes, people the words."""

from __future__ import annotations

from app.records import MeshMerge, Phase, Round, Run, WaitingFor, WaitKind
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
        case WaitKind.ENGINE:
            return f"waiting for {detail}"
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


def shut_down(run: Run, newest: Round | None) -> str:
    """Why a run is interrupted; `newest`: of its rounds that have come to something."""
    if run.round == 0:
        return SHUT_DOWN
    if newest is not None and newest.complete and newest.round >= run.round:
        return f"{SHUT_DOWN} when round {newest.round} was over"
    return f"{SHUT_DOWN} in round {run.round}, which was not over yet"


def merged(merge: MeshMerge) -> str:
    """What clients have learned without the server is in the run."""
    clients, rounds = len(merge.clients), merge.mesh_rounds
    whose = "1 client's" if clients == 1 else f"{clients} clients'"
    how_many = "1 mesh round" if rounds == 1 else f"{rounds} mesh rounds"
    return f"merged {whose} {how_many} since round {merge.since} into round {merge.round}"


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


def goes_on_without(run: Run, phase: Phase) -> str:
    """For the log: somebody does not want to wait for the replies that are missing."""
    missing = run.progress.total - run.progress.done if run.progress else 0
    return f"round {run.round}, {phase}: goes on without {_many(missing, 'reply', 'replies')}, by request"


def held_by_request(run: Run) -> str:
    """Why a paused run does not go on without somebody."""
    return f"Run {run.id} is paused, and waits for nobody. Resume it first."


def not_awaited(run: Run, round_: int, phase: Phase) -> str:
    """Why a run does not go on without somebody: what was meant is over, or was never waited for."""
    now = f"round {run.round}" + (f", {run.progress.phase}" if run.progress else "")
    return f"Run {run.id} does not wait for replies of round {round_}, {phase}: it is in {now}."


def app_decides(run: Run) -> str:
    """Why a run of another Flower app does not go on without somebody."""
    return (
        f"Nothing that FedLoom waits for holds up run {run.id}: its app {run.spec.app} asks for the replies "
        "itself, and decides how long it waits."
    )


def too_few(run: Run, lacking: int) -> str:
    """Why a run does not go on without somebody: too few have replied."""
    who = "its app"
    if run.spec.app is None:
        secure = run.spec.secure_aggregation is not None
        who = "its secure aggregation" if secure else f"its strategy, {run.spec.strategy},"
    return (
        f"Round {run.round} cannot go on yet: {who} needs {_many(lacking, 'more reply', 'more replies')}. "
        "Start the clients that are lost again, or stop the run."
    )


def not_deleted(run: Run) -> str:
    """Why a run cannot be deleted."""
    return (
        f"Run {run.id} cannot be deleted: it is {run.state}. Stop it first, and delete it when it has ended."
    )


def left_as_it_is(run: Run) -> str:
    """Why nothing can be noted of a run whose record cannot be read."""
    return f"Run {run.id} stays as it is: {run.reason}. A FedLoom that can read it can change it."


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


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _more(waiting_for: WaitingFor, one: str, many: str) -> str:
    """`1 more client (1 of 2)`."""
    have, need = waiting_for.have or 0, waiting_for.need or 0
    more = max(need - have, 0)
    return f"{_many(more, f'more {one}', f'more {many}')} ({have} of {need})"


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
