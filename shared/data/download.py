"""Fetches a data set once, however many processes start at the same time and whatever the network does.

One process downloads, in a thread that can be left alone when the wait is given up, into a staging folder;
complete files alone are moved into the data directory.
"""

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from filelock import FileLock

from shared.data.fetch import Progress, fetch
from shared.errors import DataFileUnusable, DatasetUnavailable

_POLL_S: Final = 0.1
_OTHER_WAYS: Final = (
    "or name the folder that holds them with --data-dir or FEDLOOM_DATA_DIR; or choose a data set that needs "
    "no network: digits or synthetic."
)

_log = logging.getLogger(__name__)

T = TypeVar("T")
Checkpoint = Callable[[], None]


def read_or_download(name: str, data_dir: Path, read: Callable[[], T | None], checkpoint: Checkpoint) -> T:
    """What `read` returns, after a download into `data_dir` if it first returns None for "not there".

    `read` may raise DataFileUnusable; a damaged file is replaced by the download. A data directory that holds
    the files is only read: no lock, no write. Otherwise one process downloads while the others wait, and
    share its result or its failure. `checkpoint` is called several times a second meanwhile; what it raises
    ends the wait and the download.

    Raises:
        DatasetUnavailable: the files are not there, or damaged, and cannot be fetched; or may not be read.
    """

    def cancelled() -> bool:
        checkpoint()
        return False

    asked_at = time.time()
    damage: DataFileUnusable | None = None
    try:
        found, damage = _attempt(read)
        if found is not None:
            return found
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data_dir / f".{name}.lock")
        with lock.acquire(poll_interval=_POLL_S, cancel_check=cancelled):
            return _read_or_download_alone(name, data_dir, read, asked_at, checkpoint)
    except DataFileUnusable as problem:
        raise DatasetUnavailable(
            f"The data set {name} cannot be used: {problem}. Mend that and start again; {_OTHER_WAYS}"
        ) from problem
    except OSError as error:
        raise _unavailable(name, data_dir, damage, f"the folder cannot be used ({error})") from error


def _attempt(read: Callable[[], T | None]) -> tuple[T | None, DataFileUnusable | None]:
    """What there is, and what is wrong with it if a new copy would mend that."""
    try:
        return read(), None
    except DataFileUnusable as problem:
        if not problem.damaged:
            raise
        return None, problem


def _read_or_download_alone(
    name: str, data_dir: Path, read: Callable[[], T | None], asked_at: float, checkpoint: Checkpoint
) -> T:
    """With the lock held, which may have taken another process's whole download, since `asked_at`."""
    found, damage = _attempt(read)
    if found is not None:
        return found
    failure = data_dir / f".{name}.failed"
    if failure.exists() and failure.stat().st_mtime >= asked_at:
        raise _unavailable(name, data_dir, damage, failure.read_text(encoding="utf-8"))
    reason = _download(name, data_dir, checkpoint)
    found, damage = _attempt(read)
    if found is None:
        reason = reason or "the files that arrived are not those of the data set"
        failure.write_text(reason, encoding="utf-8")
        raise _unavailable(name, data_dir, damage, reason)
    failure.unlink(missing_ok=True)
    return found


def _unavailable(
    name: str, data_dir: Path, damage: DataFileUnusable | None, reason: str
) -> DatasetUnavailable:
    if damage is not None:
        return DatasetUnavailable(
            f"The data set {name} cannot be used: {damage}. A new copy could not be downloaded: {reason}. "
            f"Put a whole file there, or check the network, and start again; {_OTHER_WAYS}"
        )
    return DatasetUnavailable(
        f"The data set {name} is not in {data_dir.absolute()} and could not be downloaded: {reason}. "
        f"Nothing can be trained or tested on {name} here until its files are there. Check the network and "
        f"start again; or put the files there in torchvision's layout, {_OTHER_WAYS}"
    )


def _download(name: str, data_dir: Path, checkpoint: Checkpoint) -> str | None:
    """Fetch the files of `name` into `data_dir`; the reason in words where that fails."""
    for abandoned in data_dir.glob(f".{name}.download-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{name}.download-", dir=data_dir, ignore_cleanup_errors=True
    ) as path:
        staging = Path(path)
        try:
            _fetch_in_thread(name, staging, checkpoint)
        except OSError as error:
            return str(error)
        for source in staging.rglob("*"):
            if source.is_file() and source.suffix != ".gz":
                target = data_dir / source.relative_to(staging)
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
    return None


def _fetch_in_thread(name: str, staging: Path, checkpoint: Checkpoint) -> None:
    _log.info("Downloading the data set %s", name)
    ended: Future[None] = Future()
    progress = Progress(name)

    def work() -> None:
        try:
            fetch(name, staging, progress)
        except BaseException as error:  # noqa: BLE001 - the edge of the thread: whoever waits raises it
            ended.set_exception(error)
        else:
            ended.set_result(None)

    # A daemon: when nobody waits any more, it may hang in a socket until that times out.
    threading.Thread(target=work, name=f"download-{name}", daemon=True).start()
    try:
        while not ended.done():
            checkpoint()
            with suppress(TimeoutError):
                ended.exception(_POLL_S)
    finally:
        progress.wanted = False
    ended.result()
