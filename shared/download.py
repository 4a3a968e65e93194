"""Fetches a data set once, however many processes start at the same time and whatever the network does.

torchvision downloads and checks MD5 sums, in a process of its own (``python -m shared.download``): its
sockets can have a timeout that those of this process must not get, and it can be ended when nothing arrives.
It writes to a staging folder; complete files alone are moved into the data directory.
"""

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

from filelock import FileLock, Timeout

from shared.errors import DatasetUnavailable

TORCHVISION_CLASSES: Final = MappingProxyType(
    {"mnist": "MNIST", "fashion-mnist": "FashionMNIST", "cifar10": "CIFAR10"}
)
SOCKET_TIMEOUT_S: Final = 10.0
STALL_S: Final = 45.0
"""A download to which nothing was added for this long is given up."""

_REPORT_INTERVAL_S: Final = 5.0
_POLL_S: Final = 0.1

_log = logging.getLogger(__name__)

T = TypeVar("T")
Checkpoint = Callable[[], None]


def read_or_download(name: str, data_dir: Path, read: Callable[[], T | None], checkpoint: Checkpoint) -> T:
    """What `read` returns, after a download into `data_dir` if it first returns None for "not there".

    A data directory that holds the files is only read: no lock, no write. Otherwise one process downloads
    while the others wait, and share its result or its failure. `checkpoint` is called several times a second
    meanwhile; what it raises ends the wait and the download.

    Raises:
        DatasetUnavailable: the files are not there and cannot be fetched.
    """
    asked_at = time.time()
    try:
        found = read()
        if found is not None:
            return found
        data_dir.mkdir(parents=True, exist_ok=True)
        with _lock(data_dir / f".{name}.lock", checkpoint):
            return _read_or_download_alone(name, data_dir, read, asked_at, checkpoint)
    except OSError as error:
        raise _unavailable(name, data_dir, f"the folder cannot be used ({error})") from error


@contextmanager
def _lock(path: Path, checkpoint: Checkpoint) -> Iterator[None]:
    lock = FileLock(path)
    while not lock.is_locked:
        checkpoint()
        with suppress(Timeout):
            lock.acquire(timeout=_POLL_S)
    try:
        yield
    finally:
        lock.release()


def _read_or_download_alone(
    name: str, data_dir: Path, read: Callable[[], T | None], asked_at: float, checkpoint: Checkpoint
) -> T:
    """With the lock held, which may have taken another process's whole download, since `asked_at`."""
    found = read()
    if found is not None:
        return found
    failure = data_dir / f".{name}.failed"
    if failure.exists() and failure.stat().st_mtime >= asked_at:
        raise _unavailable(name, data_dir, failure.read_text(encoding="utf-8"))
    reason = _download(name, data_dir, checkpoint)
    found = read()
    if found is None:
        reason = reason or "the files that arrived are not those of the data set"
        failure.write_text(reason, encoding="utf-8")
        raise _unavailable(name, data_dir, reason)
    failure.unlink(missing_ok=True)
    return found


def _unavailable(name: str, data_dir: Path, reason: str) -> DatasetUnavailable:
    return DatasetUnavailable(
        f"The data set {name} is not in {data_dir.absolute()} and could not be downloaded: {reason}. "
        f"Nothing can be trained or tested on {name} here until its files are there. Check the network and "
        "start again; or put the files there in torchvision's layout, or name the folder that holds "
        "them with --data-dir or FEDLOOM_DATA_DIR; or choose a data set that needs no network: digits or "
        "synthetic."
    )


def _download(name: str, data_dir: Path, checkpoint: Checkpoint) -> str | None:
    """Fetch the files of `name` into `data_dir`; the reason in words where that fails."""
    for abandoned in data_dir.glob(f".{name}.download-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{name}.download-", dir=data_dir, ignore_cleanup_errors=True
    ) as path:
        staging = Path(path)
        reason = _run_downloader(name, staging, checkpoint)
        if reason is None:
            for source in staging.rglob("*"):
                if source.is_file() and source.suffix != ".gz":
                    target = data_dir / source.relative_to(staging)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    source.replace(target)
    return reason


def _run_downloader(name: str, staging: Path, checkpoint: Checkpoint) -> str | None:
    _log.info("Downloading the data set %s", name)
    search_path = [str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH", "")]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "shared.download", name, str(staging)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, search_path)), "TQDM_DISABLE": "1"},
            stdin=subprocess.PIPE,  # closes when this process ends, however it ends
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                stalled = not _wait_while_growing(process, name, staging, checkpoint)
            finally:
                process.kill()
        if stalled:
            return f"no data arrived for {STALL_S:.0f} s"
        if process.returncode == 0:
            return None
        output.seek(0)
        lines = output.read().strip().splitlines()
        return lines[-1].rstrip(".") if lines else f"the downloader ended with code {process.returncode}"


def _wait_while_growing(
    process: subprocess.Popen[bytes], name: str, staging: Path, checkpoint: Checkpoint
) -> bool:
    """Whether the process ended; False when the files under `staging` stopped growing first."""
    size = 0
    grown_at = reported_at = time.monotonic()
    while process.poll() is None:
        checkpoint()
        now = time.monotonic()
        if (size_now := _size_of(staging)) != size:
            size, grown_at = size_now, now
        if now - grown_at >= STALL_S:
            return False
        if now - reported_at >= _REPORT_INTERVAL_S:
            reported_at = now
            _log.info("Downloading the data set %s: %.1f MB so far", name, size / 1e6)
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
    return True


def _size_of(folder: Path) -> int:
    """Bytes in the files under `folder`, which another process is changing."""
    size = 0
    for path in folder.rglob("*"):
        try:
            size += path.stat().st_size
        except FileNotFoundError:
            continue
    return size


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def _main(name: str, folder: str) -> None:
    """Entry point of the downloading process: ends with code 0, or 1 and the reason as last line."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    socket.setdefaulttimeout(SOCKET_TIMEOUT_S)
    from torchvision import datasets  # only this process needs it

    try:
        getattr(datasets, TORCHVISION_CLASSES[name])(folder, download=True)
    except (OSError, RuntimeError) as error:
        sys.exit(_cause(str(error)))


def _cause(message: str) -> str:
    """What went wrong, once, out of what torchvision says of every mirror; else all it says."""
    causes = re.findall(r"<urlopen error (?:\[Errno -?\d+\] )?(.*?)>", message)
    return "; ".join(dict.fromkeys(causes)) or " ".join(message.split())


if __name__ == "__main__":
    _main(*sys.argv[1:])
