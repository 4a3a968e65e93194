"""Small files in the layouts of the data sets."""

import gzip
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import CIFAR10

CIFAR10_FILES = ("data_batch_1", "data_batch_2", "test_batch", "batches.meta")

CIFAR10_PIXELS = np.random.default_rng(0).integers(0, 256, (3, 4, 3072), dtype=np.uint8)


def write_idx(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, values.ndim]) + b"".join(size.to_bytes(4, "big") for size in values.shape)
    content = header + values.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_mnist(folder: Path, suffix: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Twenty training and ten test images of random pixels in torchvision's file names."""
    random = np.random.default_rng(0)
    images, labels = random.integers(0, 256, (20, 28, 28)), np.arange(20) % 10
    write_idx(folder / f"train-images-idx3-ubyte{suffix}", images)
    write_idx(folder / f"train-labels-idx1-ubyte{suffix}", labels)
    write_idx(folder / f"t10k-images-idx3-ubyte{suffix}", images[:10])
    write_idx(folder / f"t10k-labels-idx1-ubyte{suffix}", labels[:10])
    return images, labels


def write_cifar10(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two training batches and the test batch of four images each; torchvision is told of their sums."""
    folder.mkdir()

    def write(name: str, content: object) -> list[str]:
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    batches = [
        write(name, {"data": block, "labels": [0, 1, 2, 3]})
        for name, block in zip(CIFAR10_FILES[:3], CIFAR10_PIXELS, strict=True)
    ]
    meta = write("batches.meta", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(CIFAR10, "train_list", batches[:2])
    monkeypatch.setattr(CIFAR10, "test_list", batches[2:])
    monkeypatch.setattr(CIFAR10, "meta", {"filename": meta[0], "key": "label_names", "md5": meta[1]})
    return folder


def files_under(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
