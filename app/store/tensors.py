"""Named arrays in safetensors files that are written whole or not at all, and the digest to check them by."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from app.store import files
from shared.errors import CheckpointInvalid

Arrays = Mapping[str, NDArray[Any]]

SUFFIX = ".tmp"
"""Of a file that is not finished. While safetensors still writes, the name begins with it."""

_OS_ERROR = re.compile(r"\(os error (\d+)\)")

_NOT_THE_FILES_FAULT = {errno.EACCES, errno.EPERM, errno.ENOMEM, errno.ENOBUFS} | files.TOO_MANY_OPEN
"""Errors after which a file is no worse than before."""


def plain(values: NDArray[Any]) -> NDArray[Any]:
    """The same values as the file has them: in C order, little-endian. A copy only where they are not."""
    return np.asarray(values, dtype=values.dtype.newbyteorder("<"), order="C")


def digest_of(arrays: Arrays) -> str:
    """The SHA-256, in hex, of `plain` arrays, by name: their names, dtypes, shapes and values."""
    digest = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        digest.update(json.dumps([name, values.dtype.name, values.shape]).encode())
        digest.update(values.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def write_arrays(path: Path, arrays: Arrays, metadata: Mapping[str, str]) -> None:
    """Write `plain` arrays. When this returns, the file is on the disk; after an error, the one before is.

    Raises OSError, and CheckpointInvalid for a dtype or name that safetensors does not have.
    """
    if "__metadata__" in arrays:
        raise CheckpointInvalid(
            "The model cannot be kept: '__metadata__' is no name for an array in safetensors."
        )
    temporary = path.with_name(f"{path.name}{SUFFIX}")
    try:
        save_file(dict(arrays), temporary, dict(metadata))
        files.sync_file(temporary)
        temporary.replace(path)
    except SafetensorError as error:
        remove_unfinished(path.parent)
        if (cause := _os_error(error, path)) is not None:
            raise cause from error
        raise CheckpointInvalid(f"The model cannot be kept: {error}.") from error
    except OSError:
        remove_unfinished(path.parent)
        raise
    files.sync_folder(path.parent)


def read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """All arrays of a file, and its metadata. Raises CheckpointInvalid, and OSError where that may pass."""
    with _opened(path) as file:
        return {name: file.get_tensor(name) for name in file.offset_keys()}, file.metadata() or {}


def read_metadata(path: Path) -> dict[str, str]:
    """A file's metadata. Raises CheckpointInvalid when it is cut short or not there, and OSError as above."""
    with _opened(path) as file:
        return file.metadata() or {}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with path.open("rb"):  # for Python's own errors: those of safetensors do not tell what is wrong
            pass
        # Not mapped into memory: an error of the disk would end the process then.
        with safe_open(path, framework="np", backend="pread") as file:
            yield file
    except FileNotFoundError as error:
        raise CheckpointInvalid(f"The checkpoint {path} is not there.") from error
    except (SafetensorError, OSError) as error:
        cause = error if isinstance(error, OSError) else _os_error(error, path)
        if cause is not None and cause.errno in _NOT_THE_FILES_FAULT:
            raise cause from error
        raise CheckpointInvalid(f"The checkpoint {path} is damaged: {error}.") from error


def _os_error(error: Exception, path: Path) -> OSError | None:
    """The system's error of which safetensors tells in words."""
    code = _OS_ERROR.search(str(error))
    return OSError(int(code[1]), os.strerror(int(code[1])), str(path)) if code else None


def remove_unfinished(folder: Path) -> None:
    """Delete what a write that was cut off has left. Raises OSError."""
    for pattern in (f"*{SUFFIX}", f"{SUFFIX}*"):
        for left_over in folder.glob(pattern):
            left_over.unlink(missing_ok=True)
