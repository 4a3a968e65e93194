"""A data set of MNIST's shape that needs no network: generated, learnable, in MNIST's file format.

Everybody in a benchmark reads it as "mnist" from the same folder, through the same code as real data.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE = 28
CLASSES = 10
SHARPNESS = 80
"""How far a class's own pattern stands out of the noise, in grey levels."""

Bytes = npt.NDArray[np.uint8]


def write_images(data_dir: Path, num_train: int, num_test: int) -> None:
    """Write training and test set below `data_dir`, always the same for the same sizes."""
    random = np.random.RandomState(0)
    patterns = random.standard_normal((CLASSES, SIDE // 4, SIDE // 4)).repeat(4, axis=1).repeat(4, axis=2)
    folder = data_dir / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for prefix, size in (("train", num_train), ("t10k", num_test)):
        labels = random.permutation(np.arange(size) % CLASSES)
        noise = random.standard_normal((size, SIDE, SIDE))
        grey = 128 + SHARPNESS * (patterns[labels] + 2 * noise) / 2
        _write_idx(folder / f"{prefix}-images-idx3-ubyte", grey.clip(0, 255).astype(np.uint8))
        _write_idx(folder / f"{prefix}-labels-idx1-ubyte", labels.astype(np.uint8))


def _write_idx(path: Path, content: Bytes) -> None:
    """The IDX format; see `shared.data.datasets`, which reads it."""
    header = np.array([0x0800 + content.ndim, *content.shape], dtype=">u4")
    path.write_bytes(header.tobytes() + content.tobytes())
