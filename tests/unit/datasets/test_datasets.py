"""Data sets: shapes, values, stability, and files that are there."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, FashionMNIST

from shared.data.datasets import DATASETS, TensorSet, load_test, load_train, load_train_labels
from shared.errors import UnknownName
from tests.support.dataset_files import CIFAR10_PIXELS, files_under, write_cifar10, write_mnist
from tests.support.processes import ROOT
from tests.support.tools import give_up

OFFLINE = [name for name, info in DATASETS.items() if info.offline]


@pytest.fixture
def mnist_dir() -> Path:
    folder = Path(os.environ.get("FEDLOOM_DATA_DIR") or ROOT.parent / "shared" / "data")
    if not (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
        pytest.skip(f"needs MNIST in {folder}/MNIST/raw (set FEDLOOM_DATA_DIR to the folder that holds it)")
    return folder


@pytest.mark.parametrize("name", OFFLINE)
def test_an_offline_data_set_is_as_its_info_says_and_writes_nothing(name: str, tmp_path: Path) -> None:
    info = DATASETS[name]
    for data, size in (
        (load_train(name, tmp_path), info.num_train),
        (load_test(name, tmp_path), info.num_test),
    ):
        assert data.inputs.shape == (size, *info.input_shape)
        assert data.inputs.dtype == torch.float32
        assert data.labels.dtype == torch.int64
        assert sorted(set(data.labels.tolist())) == list(range(info.num_classes))
    assert list(tmp_path.iterdir()) == []


def test_every_class_has_a_name_as_torchvision_has_it() -> None:
    assert DATASETS["fashion-mnist"].class_names == tuple(FashionMNIST.classes)
    assert DATASETS["cifar10"].class_names[:3] == ("airplane", "automobile", "bird")
    for name in ("digits", "mnist", "synthetic"):
        assert DATASETS[name].class_names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    for info in DATASETS.values():
        assert len(set(info.class_names)) == info.num_classes == 10


@pytest.mark.parametrize("name", OFFLINE)
def test_training_inputs_have_mean_0_and_deviation_1(name: str, tmp_path: Path) -> None:
    inputs = load_train(name, tmp_path).inputs
    assert inputs.mean().item() == pytest.approx(0, abs=0.02)
    assert inputs.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", OFFLINE)
def test_chosen_rows_are_those_of_the_whole_in_the_order_asked_for(name: str, tmp_path: Path) -> None:
    whole, rows = load_train(name, tmp_path), np.array([7, 3, 900], dtype=np.int64)
    part = load_train(name, tmp_path, rows)
    assert torch.equal(part.inputs, whole.inputs[[7, 3, 900]])
    assert torch.equal(part.labels, whole.labels[[7, 3, 900]])
    assert load_train_labels(name, tmp_path).tolist() == whole.labels.tolist()


@pytest.mark.parametrize("name", OFFLINE)
def test_train_and_test_samples_are_different_ones(name: str, tmp_path: Path) -> None:
    def rows(data: TensorSet) -> set[bytes]:
        return {row.numpy().tobytes() for row in data.inputs}

    assert not rows(load_train(name, tmp_path)) & rows(load_test(name, tmp_path))


def test_the_digits_split_keeps_a_fifth_of_every_class_for_testing(tmp_path: Path) -> None:
    train = np.bincount(load_train_labels("digits", tmp_path))
    test = np.bincount(load_test("digits", tmp_path).labels.numpy())
    assert (np.abs(test / (train + test) - 0.2) < 0.005).all()


def test_synthetic_samples_are_the_same_in_every_version(tmp_path: Path) -> None:
    """Clients of different versions share one data set, so its bytes may not change (rounded: see libm)."""
    inputs = load_train("synthetic", tmp_path).inputs
    assert inputs[[0, 2_999, 5_999], 0, 0, 0].tolist() == pytest.approx(
        [1.20545, 0.63742, -0.68135], abs=1e-4
    )
    assert load_train_labels("synthetic", tmp_path)[:10].tolist() == [7, 6, 8, 0, 8, 3, 5, 2, 3, 6]


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        DATASETS["digits"] = DATASETS["mnist"]  # type: ignore[index]


def test_an_unknown_name_is_refused_with_the_names_that_exist(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"no data set 'imagenet'.*digits, mnist"):
        load_train("imagenet", tmp_path)


def test_real_mnist_is_read_without_writing(mnist_dir: Path) -> None:
    before = files_under(mnist_dir)
    rows = np.arange(0, 60_000, 60, dtype=np.int64)
    data, labels = load_train("mnist", mnist_dir, rows), load_train_labels("mnist", mnist_dir)
    assert (len(labels), len(load_test("mnist", mnist_dir))) == (60_000, 10_000)
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.labels.tolist() == labels[rows].tolist()
    assert data.inputs.mean().item() == pytest.approx(0, abs=0.03)
    assert data.inputs.std().item() == pytest.approx(1, abs=0.03)
    assert files_under(mnist_dir) == before


def test_debians_package_of_fashion_mnist_is_read_where_it_lies() -> None:
    if not Path("/usr/share/datasets/fashion-mnist").is_dir():
        give_up("needs Debian's package dataset-fashion-mnist, which docs/data-sets.md promises to work")
    test = load_test("fashion-mnist", "/usr/share")
    assert (len(test), len(load_train_labels("fashion-mnist", "/usr/share"))) == (10_000, 60_000)
    assert test.labels[:5].tolist() == [9, 2, 1, 1, 6]
    assert test.inputs.mean().item() == pytest.approx(0, abs=0.03)
    assert test.inputs.std().item() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(
    ("name", "folder", "suffix"),
    [
        ("mnist", "MNIST/raw", ""),
        ("mnist", "MNIST/raw", ".gz"),
        ("fashion-mnist", "FashionMNIST/raw", ""),
        ("fashion-mnist", "datasets/fashion-mnist", ".gz"),
    ],
)
def test_files_that_are_there_are_only_read(name: str, folder: str, suffix: str, tmp_path: Path) -> None:
    images, labels = write_mnist(tmp_path / folder, suffix)
    before = files_under(tmp_path)
    tmp_path.chmod(0o555)
    info = DATASETS[name]
    data = load_train(name, tmp_path, np.array([4, 1]))
    expected = (images[[4, 1]] / 255 - info.mean[0]) / info.std[0]
    np.testing.assert_allclose(data.inputs[:, 0].numpy(), expected, rtol=1e-5, atol=1e-6)
    assert data.labels.tolist() == [4, 1]
    assert load_train_labels(name, tmp_path).tolist() == labels.tolist()
    assert len(load_test(name, tmp_path)) == 10
    assert files_under(tmp_path) == before


def test_cifar10_is_read_in_torchvisions_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar10(tmp_path / CIFAR10.base_folder, monkeypatch)
    pixels = CIFAR10_PIXELS

    info = DATASETS["cifar10"]
    data = load_train("cifar10", tmp_path, np.array([5]))
    red = (pixels[1, 1].reshape(3, 32, 32)[0] / 255 - info.mean[0]) / info.std[0]
    assert data.inputs.shape == (1, 3, 32, 32)
    np.testing.assert_allclose(data.inputs[0, 0].numpy(), red, rtol=1e-5, atol=1e-6)
    assert load_train_labels("cifar10", tmp_path).tolist() == [0, 1, 2, 3] * 2
    assert len(load_test("cifar10", tmp_path)) == 4
