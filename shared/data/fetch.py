"""Fetches the files of a data set over HTTP into a folder, with pooch.

pooch streams, tries again and checks MD5 sums. Mirrors and sums are those that torchvision states in public
attributes of its classes.
"""

import logging
import time
from pathlib import Path
from typing import Any, Final

from shared.errors import Cancelled

STALL_S: Final = 20.0
"""An attempt to which nothing arrives for this long is given up."""

RETRIES: Final = 1
_CHUNK_BYTES: Final = 64 * 1024
_REPORT_INTERVAL_S: Final = 5.0

_log = logging.getLogger(__name__)


class Progress:
    """What pooch calls as a progress bar: says how far it is, and ends a download that nobody waits for."""

    total = 0
    """Set by pooch: the bytes of the file that it is at."""

    def __init__(self, name: str) -> None:
        self.wanted = True
        self._name = name
        self._bytes = 0
        self._reported_at = time.monotonic()

    def update(self, size: int) -> None:
        """A chunk has arrived. Raises Cancelled."""
        if not self.wanted:
            raise Cancelled("The download was given up.")
        self._bytes += size
        if time.monotonic() - self._reported_at >= _REPORT_INTERVAL_S:
            self._reported_at = time.monotonic()
            _log.info("Downloading the data set %s: %.1f MB so far", self._name, self._bytes / 1e6)

    def reset(self) -> None:
        """pooch counts a complete file once more, by its exact size."""
        self._bytes = 0

    close = reset


def fetch(name: str, folder: Path, progress: Progress) -> None:
    """Fetch the files of `name` into `folder` in torchvision's layout, packed and unpacked.

    Raises:
        OSError: no mirror has them all; the reasons in words.
        Cancelled: nobody wants them any more.
    """
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    subfolder, mirrors, sums = source_of(name)
    registry = {file: f"md5:{md5}" for file, md5 in sums.items()}
    reasons = []
    for mirror in mirrors:
        files = pooch.create(folder / subfolder, mirror, registry=registry, retry_if_failed=RETRIES)
        try:
            for file in registry:
                files.fetch(file, processor=_unpacking(file), downloader=_downloader(progress))
        except (OSError, ValueError) as error:  # ValueError: a wrong sum
            reasons.append(_reason(error))
        else:
            return
    raise OSError("; ".join(dict.fromkeys(reasons)))


def source_of(name: str) -> tuple[str, list[str], dict[str, str]]:
    """The folder of a data set's files, the mirrors that have them, and their MD5 sums by name."""
    from torchvision.datasets import CIFAR10, MNIST, FashionMNIST  # costs a second to import

    if name == "cifar10":
        return "", [CIFAR10.url.removesuffix(CIFAR10.filename)], {CIFAR10.filename: CIFAR10.tgz_md5}
    dataset = {"mnist": MNIST, "fashion-mnist": FashionMNIST}[name]
    return f"{dataset.__name__}/raw", dataset.mirrors, dict(dataset.resources)


def _downloader(progress: Progress) -> Any:
    import pooch

    return pooch.HTTPDownloader(
        progressbar=progress,
        chunk_size=_CHUNK_BYTES,
        timeout=STALL_S,
        headers={"Accept-Encoding": "identity"},
        hooks={"response": _leave_packed},
    )


def _unpacking(file: str) -> Any:
    import pooch

    if file.endswith(".tar.gz"):
        return pooch.Untar(extract_dir=".")
    return pooch.Decompress(name=file.removesuffix(".gz"))


def _leave_packed(response: Any, *_: object, **__: object) -> None:
    """Some servers call what is packed anyway an encoding; undone on the way, the sum would be another."""
    response.raw.headers.pop("Content-Encoding", None)


def _reason(error: BaseException) -> str:
    """What lies below the errors that requests and urllib3 wrap around it."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    if isinstance(error, TimeoutError):
        return f"no data arrived for {STALL_S:.0f} s"
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(words.split()).rstrip(".")
