"""Every error that FedLoom raises on purpose.

A message says what happened, what it means, and what to do. Anything that is not a `FedLoomError` is a bug.
"""


class FedLoomError(Exception):
    """Base of all errors that FedLoom explains to its user."""


class UnknownName(FedLoomError):
    """A data set or model was asked for by a name that does not exist."""


class DatasetUnavailable(FedLoomError):
    """The files of a data set are not here and could not be fetched."""


class PartitionImpossible(FedLoomError):
    """The data set cannot be divided as asked, for example into more parts than it has samples."""


class DeviceUnavailable(FedLoomError):
    """The compute device that was asked for does not exist on this machine."""


class NoSamples(FedLoomError):
    """There is nothing to train or evaluate on."""


class TrainingDiverged(FedLoomError):
    """The loss or a weight became infinite or not a number."""


class Cancelled(FedLoomError):
    """Work was given up because someone asked for that; raised from a progress callback."""


class WireError(FedLoomError):
    """Bytes from the other end of the link do not follow the protocol."""


class ReplyInvalid(FedLoomError):
    """A client's reply does not hold what was asked for, or holds values that cannot be used."""


class LinkRefused(FedLoomError):
    """The server refused this client for a reason that trying again cannot change."""


class IllegalTransition(FedLoomError):
    """A run was to go from one state to another that cannot follow it."""


class RunStopped(FedLoomError):
    """The run was stopped on request, or because the server shuts down."""


class RoundFailed(FedLoomError):
    """No client returned an update that could be aggregated."""


class SettingsInvalid(FedLoomError):
    """A flag or an environment variable has a value that cannot be used."""
