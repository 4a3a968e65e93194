"""The built-in data sets as ready tensors in memory.

Two need no file and no network: `digits` ships with scikit-learn, `synthetic` is generated. The others are
read from the data directory in torchvision's layout and fetched into it at first use.

Pixels are scaled to 0..1, then normalised per channel with the mean and standard deviation of the training
set: constants, since a client must not need the data of others to compute them.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.data.cifar10 import read_cifar10
from shared.data.download import Checkpoint, read_or_download
from shared.data.idx import read_idx
from shared.errors import DataFileUnusable, UnknownName

Labels = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Split = Literal["train", "test"]
DataDir = str | os.PathLike[str]


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set without loading it.

    Attributes:
        input_shape: (channels, height, width) of a sample.
        class_names: what each label stands for, by label.
        offline: whether it always works without a network.
        mean: mean of each channel over the training set, pixels in 0..1.
        std: standard deviation of each channel, likewise.
    """

    name: str
    input_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    offline: bool
    num_train: int
    num_test: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @property
    def num_classes(self) -> int:
        """How many labels there are: 0 up to this."""
        return len(self.class_names)


_NUMBERS: Final = tuple(map(str, range(10)))
_GARMENTS: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_THINGS: Final = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

# The constants of MNIST, Fashion-MNIST and CIFAR-10 are those in common use (PyTorch's MNIST example;
# LeCun et al. 1998, Xiao et al. 2017, Krizhevsky 2009 describe the data); those of digits are computed from
# the training split below; synthetic is generated around zero with about unit variance.
DATASETS: Final[Mapping[str, DatasetInfo]] = MappingProxyType(
    {
        info.name: info
        for info in (
            DatasetInfo("digits", (1, 8, 8), _NUMBERS, True, 1438, 359, (0.3058,), (0.3766,)),
            DatasetInfo("mnist", (1, 28, 28), _NUMBERS, False, 60_000, 10_000, (0.1307,), (0.3081,)),
            DatasetInfo("fashion-mnist", (1, 28, 28), _GARMENTS, False, 60_000, 10_000, (0.2860,), (0.3530,)),
            DatasetInfo(
                "cifar10",
                (3, 32, 32),
                _THINGS,
                False,
                50_000,
                10_000,
                (0.4914, 0.4822, 0.4465),
                (0.2470, 0.2435, 0.2616),
            ),
            DatasetInfo("synthetic", (1, 16, 16), _NUMBERS, True, 6_000, 1_000, (0.0,), (1.0,)),
        )
    }
)

_IDX_FOLDERS: Final = MappingProxyType(
    {
        "mnist": ("MNIST/raw",),
        # The second is where Debian's package dataset-fashion-mnist lies in /usr/share.
        "fashion-mnist": ("FashionMNIST/raw", "datasets/fashion-mnist"),
    }
)
_IDX_PREFIX: Final = MappingProxyType({"train": "train", "test": "t10k"})
_DIGITS_SPLIT_SEED: Final = 0
_SYNTHETIC_SEED: Final = 20_170_216
_SYNTHETIC_NOISE: Final = 2.0


@dataclass(frozen=True)
class TensorSet:
    """Samples in memory: `inputs` float32 (N, C, H, W), normalised; `labels` int64 (N,)."""

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device) -> Self:
        """The same samples on `device`, without a copy if they are there already."""
        return type(self)(self.inputs.to(device), self.labels.to(device))


@dataclass(frozen=True)
class RawSamples:
    """Samples as they were read, before normalisation. What stands in a plain file is mapped; the training
    samples of CIFAR-10 take 154 MB of memory.

    Attributes:
        pixels: uint8 or float32 (N, ...).
        labels: int64 (N,).
    """

    info: DatasetInfo
    pixels: Pixels
    labels: Labels

    def tensors(self, indices: npt.NDArray[np.int64] | None = None) -> TensorSet:
        """All, or only the rows `indices`; no other row is converted to floats."""
        pixels, labels = self.pixels, self.labels
        if indices is not None:
            pixels, labels = pixels[indices], labels[indices]
        inputs = torch.from_numpy(pixels.astype(np.float32)).reshape(-1, *self.info.input_shape)
        scale = 255.0 if pixels.dtype == np.uint8 else 1.0
        mean = torch.tensor(self.info.mean).view(1, -1, 1, 1)
        std = torch.tensor(self.info.std).view(1, -1, 1, 1)
        inputs.sub_(mean * scale).div_(std * scale)
        return TensorSet(inputs, torch.from_numpy(labels if indices is not None else labels.copy()))


def dataset_info(name: str) -> DatasetInfo:
    """What is known of the data set `name`.

    Raises:
        UnknownName: there is no such data set.
    """
    try:
        return DATASETS[name]
    except KeyError:
        raise UnknownName(f"There is no data set {name!r}. Choose one of: {', '.join(DATASETS)}.") from None


def load_train_labels(name: str, data_dir: DataDir) -> Labels:
    """The class of every training sample, int64 (N,), the same order as `load_train`.

    Raises:
        UnknownName: there is no such data set.
        DatasetUnavailable: its files are not whole in `data_dir` and cannot be fetched.
    """
    return read_train(name, data_dir).labels


def load_train(name: str, data_dir: DataDir, indices: npt.NDArray[np.int64] | None = None) -> TensorSet:
    """The training samples, or only the rows `indices`; no other row is converted to floats.

    Raises:
        UnknownName: there is no such data set.
        DatasetUnavailable: its files are not whole in `data_dir` and cannot be fetched.
    """
    return read_train(name, data_dir).tensors(indices)


def read_train(name: str, data_dir: DataDir) -> RawSamples:
    """The training samples, for who takes several rows of them after each other.

    Raises:
        UnknownName: there is no such data set.
        DatasetUnavailable: its files are not whole in `data_dir` and cannot be fetched.
    """
    return _read(name, data_dir, "train")


def load_test(name: str, data_dir: DataDir, checkpoint: Checkpoint = lambda: None) -> TensorSet:
    """The test samples. `checkpoint` is called now and then during a download, and may raise to give it up.

    Raises:
        UnknownName: there is no such data set.
        DatasetUnavailable: its files are not whole in `data_dir` and cannot be fetched.
    """
    return _read(name, data_dir, "test", checkpoint).tensors()


def is_here(name: str, data_dir: DataDir) -> bool:
    """Whether the training samples can be read without a download.

    Raises:
        UnknownName: there is no such data set.
        DataFileUnusable: files are there, and cannot be used.
    """
    folder = Path(data_dir).expanduser()
    if dataset_info(name).offline:
        return True
    if name == "cifar10":
        return read_cifar10(folder, train=True) is not None
    return _read_idx_dataset(name, folder, "train") is not None


def _read(name: str, data_dir: DataDir, split: Split, checkpoint: Checkpoint = lambda: None) -> RawSamples:
    return RawSamples(dataset_info(name), *_load_arrays(name, data_dir, split, checkpoint))


def _load_arrays(name: str, data_dir: DataDir, split: Split, checkpoint: Checkpoint) -> tuple[Pixels, Labels]:
    """Samples before normalisation, uint8 or float32 (N, ...), and their labels, int64 (N,)."""
    folder = Path(data_dir).expanduser()
    match dataset_info(name).name:
        case "digits":
            return _digits(split)
        case "synthetic":
            return _synthetic(split)
        case "cifar10":
            return read_or_download(name, folder, lambda: read_cifar10(folder, split == "train"), checkpoint)
        case _:
            return _idx_dataset(name, folder, split, checkpoint)


@lru_cache(maxsize=2)
def _digits(split: Split) -> tuple[Pixels, Labels]:
    """Optical recognition of handwritten digits (Alpaydin & Kaynak 1998), 80 % of each class for training.

    They are kept, a few megabytes at most: who takes part by part would make all of them anew for each.
    """
    from sklearn.datasets import load_digits  # costs a second to import

    pixels, labels = load_digits(return_X_y=True)
    random = np.random.RandomState(_DIGITS_SPLIT_SEED)
    in_test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = random.permutation(np.flatnonzero(labels == label))
        in_test[members[: round(0.2 * len(members))]] = True
    rows = in_test if split == "test" else ~in_test
    return (pixels[rows] / 16).astype(np.float32), labels[rows].astype(np.int64)


@lru_cache(maxsize=2)
def _synthetic(split: Split) -> tuple[Pixels, Labels]:
    """Ten smooth prototypes; a sample is one of them, shifted by up to two pixels, in heavy noise. They are
    kept."""
    info = DATASETS["synthetic"]
    random = np.random.RandomState(_SYNTHETIC_SEED)
    _, height, width = info.input_shape
    coarse = random.standard_normal((info.num_classes, height // 4, width // 4))
    prototypes = coarse.repeat(4, axis=1).repeat(4, axis=2)
    total = info.num_train + info.num_test
    labels = random.permutation(np.arange(total) % info.num_classes)
    shifts = random.randint(-2, 3, size=(total, 2))
    rows = (np.arange(height)[None, :] + shifts[:, :1]) % height
    columns = (np.arange(width)[None, :] + shifts[:, 1:]) % width
    images = prototypes[labels[:, None, None], rows[:, :, None], columns[:, None, :]]
    images = images + _SYNTHETIC_NOISE * random.standard_normal(images.shape)
    images /= math.sqrt(1 + _SYNTHETIC_NOISE**2)
    part = slice(0, info.num_train) if split == "train" else slice(info.num_train, total)
    return images[part].astype(np.float32), labels[part].astype(np.int64)


def _idx_dataset(name: str, folder: Path, split: Split, checkpoint: Checkpoint) -> tuple[Pixels, Labels]:
    """MNIST or Fashion-MNIST; the pixels of a plain file are mapped, so that only used rows are read."""

    return read_or_download(name, folder, lambda: _read_idx_dataset(name, folder, split), checkpoint)


def _read_idx_dataset(name: str, folder: Path, split: Split) -> tuple[Pixels, Labels] | None:
    """The same if it is there; None if not. Raises DataFileUnusable."""
    problem = None
    for subfolder in _IDX_FOLDERS[name]:
        try:
            found = _read_idx_pair(DATASETS[name], folder / subfolder / _IDX_PREFIX[split])
        except DataFileUnusable as error:
            problem = problem or error
            continue
        if found is not None:
            return found
    if problem is not None:
        raise problem
    return None


def _read_idx_pair(info: DatasetInfo, prefix: Path) -> tuple[Pixels, Labels] | None:
    """Images and their labels; None if neither is there. Raises DataFileUnusable when they do not fit."""
    image_file = prefix.with_name(f"{prefix.name}-images-idx3-ubyte")
    label_file = prefix.with_name(f"{prefix.name}-labels-idx1-ubyte")
    pixels, labels = read_idx(image_file, dimensions=3), read_idx(label_file, dimensions=1)
    if pixels is None or labels is None:
        if pixels is labels:
            return None
        missing, other = (label_file, "images") if labels is None else (image_file, "labels")
        raise DataFileUnusable(missing, f"is missing, while the {other} are there")
    if len(pixels) != len(labels):
        raise DataFileUnusable(label_file, f"has {len(labels):,} labels for {len(pixels):,} images")
    if pixels.shape[1:] != info.input_shape[1:]:
        raise DataFileUnusable(image_file, f"has images of {pixels.shape[1]} × {pixels.shape[2]} pixels")
    if labels.max(initial=0) >= info.num_classes:
        raise DataFileUnusable(
            label_file, f"has the label {labels.max()}; there are {info.num_classes} classes"
        )
    return pixels, labels.astype(np.int64)
