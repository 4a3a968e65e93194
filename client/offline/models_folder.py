"""The folder that `--mesh-dir` names: looked at before anything is done in it, and one client's at a time."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mesh.files.names import OWN_FOLDER
from mesh.files.settings import FolderSettings
from shared.errors import SettingsInvalid

MODELS = "models"
"""Its id, the same at all clients."""

log = logging.getLogger(__name__)


@contextmanager
def models_folder(path: Path) -> Iterator[Path]:
    """Have it for this client; it is made if it is not there. Raises SettingsInvalid."""
    lock = FileLock(path / OWN_FOLDER / "in-use", timeout=0)
    try:
        (path / OWN_FOLDER).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
        lock.acquire()
    except Timeout as error:
        raise SettingsInvalid(
            f"Another client has {path} as its --mesh-dir. Name another folder: each has its own."
        ) from error
    except OSError as error:
        raise SettingsInvalid(
            f"The models cannot be kept in {path}, as --mesh-dir asks: {error.strerror or error}. Name a "
            "folder in which this user may write, on a disk with room."
        ) from error
    log.info("keeps the newest models of the server in %s, alike with the other clients that do", path)
    try:
        yield path
    finally:
        lock.release()


def settings_of(path: Path) -> FolderSettings:
    """How it is shared: with all members, and without old versions, which are older models."""
    return FolderSettings(MODELS, path, keep=0, keep_days=0)
