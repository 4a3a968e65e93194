"""Reads IDX files, the format of MNIST and Fashion-MNIST, and says what is wrong with one.

Format: two zero bytes, 8 for unsigned bytes, the number of dimensions, each dimension as a big-endian 32-bit
integer, then the values (http://yann.lecun.com/exdb/mnist/).
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from shared.errors import DataFileUnusable

Bytes = npt.NDArray[np.uint8]


def read_idx(path: Path, dimensions: int) -> Bytes | None:
    """The values of an IDX file, plain or as `path`.gz; None if neither is there. A plain file is mapped.

    Raises:
        DataFileUnusable: it is there, but damaged or not to be read.
    """
    for candidate, read in ((path, _map), (path.with_name(path.name + ".gz"), _unpack)):
        try:
            content = read(candidate)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise DataFileUnusable.from_os(candidate, error) from error
        return _values(candidate, content, dimensions)
    return None


def _map(path: Path) -> Bytes:
    try:
        return np.memmap(path, dtype=np.uint8, mode="r")
    except ValueError as error:
        raise DataFileUnusable(path, "is empty") from error


def _unpack(path: Path) -> Bytes:
    packed = path.read_bytes()
    try:
        return np.frombuffer(gzip.decompress(packed), dtype=np.uint8)
    except EOFError as error:
        raise DataFileUnusable(path, "is cut short") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataFileUnusable(path, f"is not a whole gzip file ({error})") from error


def _values(path: Path, content: Bytes, dimensions: int) -> Bytes:
    start = 4 * (1 + dimensions)
    if content[:4].tolist() != [0, 0, 8, dimensions]:
        raise DataFileUnusable(path, f"is not an IDX file of bytes in {dimensions} dimensions")
    if len(content) < start:
        raise DataFileUnusable(path, "is cut short: it ends in its header")
    shape = content[4:start].view(">u4").tolist()
    there, announced = len(content) - start, math.prod(shape)
    if there != announced:
        what = "is cut short" if there < announced else "is too long"
        raise DataFileUnusable(
            path, f"{what}: it has {there:,} of {announced:,} bytes that its header announces"
        )
    return content[start:].reshape(shape)
