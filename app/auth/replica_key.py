"""The secret by which a federation and its dashboards know each other: a file that both have.

Whoever has it is told all that happens, and is believed where a request came from.
"""

from __future__ import annotations

from pathlib import Path

from app.auth.page_key import MAX_BYTES, SHORTEST
from app.auth.secret import new_secret
from shared.errors import FedLoomError
from shared.security.files import NotOwn, make_private_folder, read_own, write_first

FILE = "replica-key"

KEY_HEADER = "X-FedLoom-Replica-Key"
"""The header in which a dashboard shows it."""

FOR_ANOTHER_HEADER = "X-FedLoom-For-Another"
"""The header of a request that a dashboard passes on, by which it never counts as the dashboard's own."""

KNOWN_HEADER = "X-FedLoom-Known"
"""The header of an answer by which the federation tells a dashboard that it knows who has asked."""

REPLICA = "fedloom.replica"
"""In a request's WSGI environment: a dashboard that has shown the key passes it on, or asks for itself."""


class ReplicaKeyUnusable(FedLoomError):
    """The file with the secret of federation and dashboards cannot be used."""


def load_or_make_replica_key(given: Path | None, keys: Path) -> str:
    """The federation's: the given file's, or the one in the folder of keys, made if there is none. Raises
    ReplicaKeyUnusable."""
    if given is not None:
        return _read_given(given)
    path = keys / FILE
    try:
        make_private_folder(keys)
        write_first(path, f"{new_secret()}\n".encode())
    except OSError as error:
        raise ReplicaKeyUnusable(
            f"The secret for dashboards cannot be kept in {path}: {error}. Give the server a folder that it "
            "can write to with FEDLOOM_HOME, or a file with --replica-key."
        ) from error
    return _read_own(path)


def load_replica_key(given: Path | None, keys: Path) -> str:
    """A dashboard's, which makes none. Raises ReplicaKeyUnusable."""
    return _read_given(given) if given is not None else _read_own(keys / FILE)


def _read_given(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _checked(file.read(MAX_BYTES), path)
    except OSError as error:
        raise ReplicaKeyUnusable(f"--replica-key {path} cannot be read: {error}.") from error


def _read_own(path: Path) -> str:
    try:
        return _checked(read_own(path, MAX_BYTES), path)
    except NotOwn as error:
        raise ReplicaKeyUnusable(
            f"The secret {path} is not used: it {error}, who could pass for a dashboard. Delete it and start "
            "the federation again: it makes another, which all dashboards need."
        ) from error
    except FileNotFoundError as error:
        raise ReplicaKeyUnusable(
            f"There is no {path}. The process with --role federation makes it in its folder (FEDLOOM_HOME): "
            "start that first, and on another machine bring the file there and name it with --replica-key."
        ) from error
    except OSError as error:
        raise ReplicaKeyUnusable(f"The secret {path} cannot be read: {error}.") from error


def _checked(content: bytes, path: Path) -> str:
    try:
        key = content.decode("ascii").strip()
    except UnicodeDecodeError:
        key = ""
    if len(key) < SHORTEST or not key.isprintable():
        raise ReplicaKeyUnusable(
            f"{path} holds no secret that is long enough: it takes one line of {SHORTEST} characters or more."
        )
    return key
