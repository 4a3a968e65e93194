"""Reads CIFAR-10 through torchvision, and says what is wrong with files that cannot be used."""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.errors import DataFileUnusable


def read_cifar10(folder: Path, train: bool) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]] | None:
    """Pixels, uint8 (N, 3, 32, 32), and labels, (N,); None if no file of the data set is below `folder`.

    torchvision checks the MD5 sum of every file that it reads.

    Raises:
        DataFileUnusable: a file is damaged or missing, or may not be read.
    """
    from torchvision.datasets import CIFAR10  # costs a second to import

    try:
        images = CIFAR10(folder, train=train)
    except (RuntimeError, OSError):  # which one, and of what kind, it does not say
        _check(folder)
        return None
    pixels = np.ascontiguousarray(images.data.transpose(0, 3, 1, 2))
    return pixels, np.asarray(images.targets, dtype=np.int64)


def _check(folder: Path) -> None:
    """Raise DataFileUnusable for the first file that cannot be used, unless none is there at all."""
    from torchvision.datasets import CIFAR10

    absent = []
    files = [*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])]
    for name, md5 in files:
        path = folder / CIFAR10.base_folder / name
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "md5").hexdigest()
        except FileNotFoundError:
            absent.append(path)
            continue
        except OSError as error:
            raise DataFileUnusable.from_os(path, error) from error
        if found != md5:
            raise DataFileUnusable(path, f"is damaged: its MD5 sum is {found}, not {md5}")
    if absent and len(absent) < len(files):
        raise DataFileUnusable(absent[0], "is missing, while others of the data set are there")
