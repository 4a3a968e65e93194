"""The built-in data sets as ready tensors in memory.

Two need no file and no network: `digits` ships with scikit-learn, `synthetic` is generated. The others are
read from the data directory in torchvision's layout and fetched into it at first use.

Pixels are scaled to 0..1, then normalised per channel with the mean and standard deviation of the training
set: constants, since a client must not need the data of others to compute them.
"""

import gzip
import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from shared.download import Checkpoint, read_or_download
from shared.errors import UnknownName

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
        # The second is how Debian's package dataset-fashion-mnist lies in /usr/share.
        "fashion-mnist": ("FashionMNIST/raw", "dataset-fashion-mnist"),
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
        DatasetUnavailable: its files are not in `data_dir` and cannot be fetched.
    """
    return _load_arrays(name, data_dir, "train")[1]


def load_train(name: str, data_dir: DataDir, indices: npt.NDArray[np.int64] | None = None) -> TensorSet:
    """The training samples, or only the rows `indices`; no other row is converted to floats.

    Raises:
        UnknownName: there is no such data set.
        DatasetUnavailable: its files are not in `data_dir` and cannot be fetched.
    """
    return _load_tensors(name, data_dir, "train", indices)


def load_test(name: str, data_dir: DataDir, checkpoint: Checkpoint = lambda: None) -> TensorSet:
    """The test samples. `checkpoint` is called now and then during a download, and may raise to give it up.

    Raises:
        UnknownName: there is no such data set.
        DatasetUnavailable: its files are not in `data_dir` and cannot be fetched.
    """
    return _load_tensors(name, data_dir, "test", None, checkpoint)


def _load_tensors(
    name: str,
    data_dir: DataDir,
    split: Split,
    indices: npt.NDArray[np.int64] | None,
    checkpoint: Checkpoint = lambda: None,
) -> TensorSet:
    info = dataset_info(name)
    pixels, labels = _load_arrays(name, data_dir, split, checkpoint)
    if indices is not None:
        pixels, labels = pixels[indices], labels[indices]
    inputs = torch.from_numpy(pixels.astype(np.float32)).reshape(-1, *info.input_shape)
    scale = 255.0 if pixels.dtype == np.uint8 else 1.0
    mean = torch.tensor(info.mean).view(1, -1, 1, 1)
    std = torch.tensor(info.std).view(1, -1, 1, 1)
    inputs.sub_(mean * scale).div_(std * scale)
    return TensorSet(inputs, torch.from_numpy(labels))


def _load_arrays(
    name: str, data_dir: DataDir, split: Split, checkpoint: Checkpoint = lambda: None
) -> tuple[Pixels, Labels]:
    """Samples before normalisation, uint8 or float32 (N, ...), and their labels, int64 (N,)."""
    folder = Path(data_dir).expanduser()
    match dataset_info(name).name:
        case "digits":
            return _digits(split)
        case "synthetic":
            return _synthetic(split)
        case "cifar10":
            return _cifar10(folder, split, checkpoint)
        case _:
            return _idx_dataset(name, folder, split, checkpoint)


def _digits(split: Split) -> tuple[Pixels, Labels]:
    """Optical recognition of handwritten digits (Alpaydin & Kaynak 1998), 80 % of each class for training."""
    from sklearn.datasets import load_digits  # costs a second to import

    pixels, labels = load_digits(return_X_y=True)
    random = np.random.RandomState(_DIGITS_SPLIT_SEED)
    in_test = np.zeros(len(labels), dtype=bool)
    for label in range(10):
        members = random.permutation(np.flatnonzero(labels == label))
        in_test[members[: round(0.2 * len(members))]] = True
    rows = in_test if split == "test" else ~in_test
    return (pixels[rows] / 16).astype(np.float32), labels[rows].astype(np.int64)


def _synthetic(split: Split) -> tuple[Pixels, Labels]:
    """Ten smooth prototypes; a sample is one of them, shifted by up to two pixels, in heavy noise."""
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


def _cifar10(folder: Path, split: Split, checkpoint: Checkpoint) -> tuple[Pixels, Labels]:
    """CIFAR-10 through torchvision, which checks the MD5 sum of every file that it reads."""
    from torchvision.datasets import CIFAR10  # costs a second to import

    def read() -> tuple[Pixels, Labels] | None:
        try:
            images = CIFAR10(folder, train=split == "train")
        except RuntimeError:  # absent or damaged
            return None
        pixels = np.ascontiguousarray(images.data.transpose(0, 3, 1, 2))
        return pixels, np.asarray(images.targets, dtype=np.int64)

    return read_or_download("cifar10", folder, read, checkpoint)


def _idx_dataset(name: str, folder: Path, split: Split, checkpoint: Checkpoint) -> tuple[Pixels, Labels]:
    """MNIST or Fashion-MNIST; the pixels of a plain file are mapped, so that only used rows are read."""

    def read() -> tuple[Pixels, Labels] | None:
        for subfolder in _IDX_FOLDERS[name]:
            pixels = _read_idx(folder / subfolder / f"{_IDX_PREFIX[split]}-images-idx3-ubyte", dimensions=3)
            labels = _read_idx(folder / subfolder / f"{_IDX_PREFIX[split]}-labels-idx1-ubyte", dimensions=1)
            if pixels is not None and labels is not None and len(pixels) == len(labels):
                return pixels, labels.astype(np.int64)
        return None

    return read_or_download(name, folder, read, checkpoint)


def _read_idx(path: Path, dimensions: int) -> npt.NDArray[np.uint8] | None:
    """The bytes of an IDX file, plain or as `path`.gz; None if it is absent, cut short or something else.

    Format: two zero bytes, 8 for unsigned bytes, the number of dimensions, each dimension as a big-endian
    32-bit integer, then the values (http://yann.lecun.com/exdb/mnist/).
    """
    compressed = path.with_name(path.name + ".gz")
    content: npt.NDArray[np.uint8]
    try:
        if path.is_file():
            content = np.memmap(path, dtype=np.uint8, mode="r")
        else:
            content = np.frombuffer(gzip.decompress(compressed.read_bytes()), dtype=np.uint8)
    except (FileNotFoundError, gzip.BadGzipFile, EOFError, ValueError, zlib.error):
        return None
    start = 4 * (1 + dimensions)
    if content[:4].tolist() != [0, 0, 8, dimensions] or len(content) < start:
        return None
    shape = content[4:start].view(">u4").tolist()
    return content[start:].reshape(shape) if len(content) - start == math.prod(shape) else None
