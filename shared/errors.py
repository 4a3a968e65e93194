"""Every error that FedLoom raises on purpose.

A message says what happened, what it means, and what to do. Anything that is not a `FedLoomError` is a bug.
"""

from pathlib import Path
from typing import Self


class FedLoomError(Exception):
    """Base of all errors that FedLoom explains to its user."""


class UnknownName(FedLoomError):
    """A data set or model was asked for by a name that does not exist."""


class DatasetUnavailable(FedLoomError):
    """The files of a data set are not here and could not be fetched."""


class DataFileUnusable(FedLoomError):
    """A file of a data set is there, or should be, and cannot be used. `damaged`: a new copy would help."""

    def __init__(self, path: Path, problem: str, *, damaged: bool = True) -> None:
        super().__init__(f"{path} {problem}")
        self.damaged = damaged

    @classmethod
    def from_os(cls, path: Path, error: OSError) -> Self:
        """The file cannot be opened or read."""
        match error:
            case PermissionError():
                return cls(path, "may not be read by this user", damaged=False)
            case IsADirectoryError():
                return cls(path, "is a folder, where a file is expected", damaged=False)
            case NotADirectoryError():
                file = next((parent for parent in path.parents if parent.is_file()), path)
                return cls(file, "is a file, where a folder is expected", damaged=False)
        return cls(path, f"cannot be read ({error.strerror or error})", damaged=False)


class PartitionImpossible(FedLoomError):
    """The data set cannot be divided as asked, for example into more parts than it has samples."""


class DeviceUnavailable(FedLoomError):
    """The compute device that was asked for does not exist on this machine."""


class NoSamples(FedLoomError):
    """There is nothing to train or evaluate on."""


class TrainingDiverged(FedLoomError):
    """The loss or a weight became infinite or not a number."""


class PrivacyImpossible(FedLoomError):
    """A run cannot have the differential privacy that it asks for, or a client cannot give it."""


class Cancelled(FedLoomError):
    """Work was given up because someone asked for that; raised from a progress callback."""


class WireError(FedLoomError):
    """Bytes from the other end of the link do not follow the protocol."""


class NoRoom(FedLoomError):
    """A message that arrives cannot be kept, for example because the disk is full. `is_whole`: no more chunks
    of it are to come."""

    def __init__(self, message_id: str, cause: OSError, *, is_whole: bool) -> None:
        super().__init__(f"It could not be kept where it arrived: {cause}.")
        self.message_id = message_id
        self.is_whole = is_whole


class ReplyInvalid(FedLoomError):
    """A client's reply does not hold what was asked for, or holds values that cannot be used."""


class LinkRefused(FedLoomError):
    """The server refused this client for a reason that trying again cannot change."""


class LogObjection(FedLoomError):
    """The server's audit log is not the one that this client saw before: it was cut, rewritten or forked."""


class IllegalTransition(FedLoomError):
    """A run was to go from one state to another that cannot follow it."""


class RunStopped(FedLoomError):
    """The run was stopped on request, or because the server shuts down."""


class RoundFailed(FedLoomError):
    """No client returned an update that could be aggregated."""


class BudgetSpent(FedLoomError):
    """Clients take no further part in a run because their sites' privacy budgets are spent, which ends it."""


class SettingsInvalid(FedLoomError):
    """A flag, an environment variable or a field has a value that cannot be used.

    `field`: which one of a RunSpec, as a dotted path, where that is known.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class StoreUnavailable(FedLoomError):
    """The database or the folder of checkpoints cannot be read or written."""


class StoreInUse(StoreUnavailable):
    """Another server has the store open."""


class StoreOutdated(StoreUnavailable):
    """The database has an older schema, which the next start of a server brings up to date."""


class CheckpointInvalid(FedLoomError):
    """A checkpoint is damaged or belongs to another run."""


class AppInvalid(FedLoomError):
    """A folder does not hold a Flower app that can be loaded."""


class AppDied(FedLoomError):
    """The process in which a Flower app ran is gone. `last`: the last that it wrote to stderr."""

    def __init__(self, message: str, last: str = "") -> None:
        super().__init__(message)
        self.last = last


class AppEnded(AppDied):
    """The process is gone because FedLoom has ended it, which is no failure of the app."""


class AppFailed(FedLoomError):
    """A Flower app has raised an error. `traceback`: as Python prints it."""

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


class EngineFailed(FedLoomError):
    """What carries a run's messages cannot go on. `printed`: the last that it wrote to stderr."""

    def __init__(self, message: str, printed: str = "") -> None:
        super().__init__(message)
        self.printed = printed


class RoundsKeyInvalid(AppInvalid):
    """The key that was named does not say how many rounds an app runs."""
