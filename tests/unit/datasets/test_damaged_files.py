"""Data sets whose files are damaged, missing or closed are named with what is wrong."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from torchvision.datasets import CIFAR10

from shared.data.datasets import load_test, load_train
from shared.errors import DatasetUnavailable
from tests.support.dataset_files import write_cifar10, write_mnist
from tests.support.mirror import Mirror

DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "cut short": ("train-images-idx3-ubyte", lambda old: old[:-100], "is cut short"),
    "cut in the header": (
        "train-images-idx3-ubyte",
        lambda old: old[:10],
        "is cut short: it ends in its header",
    ),
    "too long": ("train-images-idx3-ubyte", lambda old: old + b"x", "is too long"),
    "empty": ("train-labels-idx1-ubyte", lambda _: b"", "is empty"),
    "something else": (
        "train-labels-idx1-ubyte",
        lambda _: b"<html>no</html>",
        "is not an IDX file of bytes",
    ),
    "of another number": (
        "train-labels-idx1-ubyte",
        lambda old: old[:4] + (19).to_bytes(4, "big") + old[8:-1],
        "has 19 labels for 20 images",
    ),
    "of other classes": (
        "train-labels-idx1-ubyte",
        lambda old: old[:-1] + b"\x0a",
        "has the label 10; there are 10 classes",
    ),
    "of another size": (
        "train-images-idx3-ubyte",
        lambda old: old[:8] + (14).to_bytes(4, "big") + (56).to_bytes(4, "big") + old[16:],
        "has images of 14 × 56 pixels",
    ),
    "packed and cut": ("train-images-idx3-ubyte.gz", lambda old: old[:-100], "is cut short"),
    "not packed": ("train-images-idx3-ubyte.gz", lambda _: b"no gzip", "is not a whole gzip file"),
}


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("name", "change", "words"), DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_file_is_named_with_what_is_wrong_with_it(
    name: str, change: Callable[[bytes], bytes], words: str, tmp_path: Path
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_mnist(raw, Path(name).suffix)
    (raw / name).write_bytes(change((raw / name).read_bytes()))
    with pytest.raises(DatasetUnavailable) as raised:
        load_train("mnist", tmp_path)
    message = str(raised.value)
    assert f"{raw / name} {words}" in message
    assert "A new copy could not be downloaded: Connection refused" in message
    assert "is not in" not in message


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("missing", "there"), [("images-idx3", "labels"), ("labels-idx1", "images")])
def test_a_file_whose_companion_is_missing_is_not_called_absent(
    missing: str, there: str, tmp_path: Path
) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_mnist(raw)
    (raw / f"t10k-{missing}-ubyte").unlink()
    with pytest.raises(
        DatasetUnavailable, match=f"t10k-{missing}-ubyte is missing, while the {there} are there"
    ):
        load_test("mnist", tmp_path)


@pytest.mark.usefixtures("no_network")
def test_a_damaged_or_missing_file_of_cifar10_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_cifar10(tmp_path / CIFAR10.base_folder, monkeypatch)
    (folder / "data_batch_2").write_bytes(b"damaged")
    with pytest.raises(DatasetUnavailable, match=r"data_batch_2 is damaged: its MD5 sum is"):
        load_test("cifar10", tmp_path)
    (folder / "data_batch_2").unlink()
    with pytest.raises(DatasetUnavailable, match="data_batch_2 is missing, while others of the data set are"):
        load_train("cifar10", tmp_path)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Whoever runs the tests, root too, has no more rights than the files give to all."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that everybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("closed", ["MNIST/raw/train-labels-idx1-ubyte", "MNIST/raw", "MNIST"])
def test_a_file_that_may_not_be_read_is_not_called_absent(
    closed: str, open_path: Path, mirror: Mirror
) -> None:
    write_mnist(open_path / "MNIST" / "raw")
    (open_path / closed).chmod(0)
    try:
        with as_nobody(), pytest.raises(DatasetUnavailable) as raised:
            load_train("mnist", open_path)
    finally:
        (open_path / closed).chmod(0o700)
    assert "-ubyte may not be read by this user. Mend that" in str(raised.value)
    assert str(open_path / closed) in str(raised.value)
    assert mirror.asked == []


def test_a_batch_of_cifar10_that_may_not_be_read_is_not_called_absent(
    open_path: Path, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = write_cifar10(open_path / CIFAR10.base_folder, monkeypatch) / "data_batch_1"
    batch.chmod(0)
    with as_nobody(), pytest.raises(DatasetUnavailable, match="data_batch_1 may not be read by this user"):
        load_train("cifar10", open_path)
    assert mirror.asked == []


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_a_file_where_a_folder_should_be_is_named(name: str, tmp_path: Path, mirror: Mirror) -> None:
    file = tmp_path / {"mnist": "MNIST", "cifar10": "cifar-10-batches-py"}[name]
    file.touch()
    with pytest.raises(DatasetUnavailable, match=f"{file} is a file, where a folder is expected"):
        load_train(name, tmp_path)
    assert mirror.asked == []


def test_a_folder_where_a_file_should_be_is_named(tmp_path: Path, mirror: Mirror) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_mnist(raw)
    (raw / "train-images-idx3-ubyte").unlink()
    (raw / "train-images-idx3-ubyte").mkdir()  # as some programs unpack it
    with pytest.raises(DatasetUnavailable, match="train-images-idx3-ubyte is a folder, where a file is"):
        load_train("mnist", tmp_path)
    assert mirror.asked == []


def test_a_damaged_file_in_a_folder_that_is_only_read_is_named(open_path: Path) -> None:
    raw = open_path / "MNIST" / "raw"
    write_mnist(raw)
    (raw / "train-images-idx3-ubyte").write_bytes(b"")
    with as_nobody(), pytest.raises(DatasetUnavailable) as raised:
        load_train("mnist", open_path)
    assert "train-images-idx3-ubyte is empty" in str(raised.value)
    assert "the folder cannot be used" in str(raised.value)
