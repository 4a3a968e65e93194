"""Data sets: shapes, values, stability, and what happens when files are absent, damaged or being fetched."""

import gzip
import hashlib
import io
import json
import os
import pickle
import socketserver
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10, MNIST, FashionMNIST

import shared.data.fetch
from shared.data.datasets import DATASETS, TensorSet, load_test, load_train, load_train_labels
from shared.errors import Cancelled, DatasetUnavailable, UnknownName
from tests.support.mirror import Mirror
from tests.support.processes import NO_NETWORK
from tests.support.tools import give_up
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = [name for name, info in DATASETS.items() if info.offline]

CALLER = """
import json, pathlib, sys
import shared.data.fetch
from shared.data.download import read_or_download
from shared.errors import DatasetUnavailable

data, asked = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
shared.data.fetch.source_of = lambda _: json.loads(sys.argv[3])  # without PyTorch, which takes seconds

def read():
    path = data / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    found = path.read_bytes() if path.exists() else None
    asked.touch()
    return found

try:
    print(len(read_or_download("mnist", data, read, lambda: None)))
except DatasetUnavailable as error:
    print(error)
"""

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


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """The only place from which MNIST can be downloaded: twenty training and ten test images."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Mirror() as mirror:
        with tempfile.TemporaryDirectory() as folder:
            write_mnist(Path(folder), ".gz")
            mirror.files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
        monkeypatch.setattr(MNIST, "mirrors", [mirror.url])
        sums = [(name, hashlib.md5(content).hexdigest()) for name, content in sorted(mirror.files.items())]
        monkeypatch.setattr(MNIST, "resources", sums)
        yield mirror


@pytest.fixture
def mnist_dir() -> Path:
    folder = Path(os.environ.get("FEDLOOM_DATA_DIR") or ROOT.parent / "shared" / "data")
    if not (folder / "MNIST" / "raw" / "train-images-idx3-ubyte").is_file():
        pytest.skip(f"needs MNIST in {folder}/MNIST/raw (set FEDLOOM_DATA_DIR to the folder that holds it)")
    return folder


@contextmanager
def http_proxy(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All HTTP goes to a server on loopback that sends `answer` and closes."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        for variable in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(variable, address)
        monkeypatch.setenv("no_proxy", "")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


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
        give_up("needs Debian's package dataset-fashion-mnist, which README promises to work")
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


def test_a_missing_data_set_is_downloaded_complete_and_leaves_nothing_else(
    mirror: Mirror, tmp_path: Path
) -> None:
    data = tmp_path / "new" / "data"
    assert len(load_train("mnist", data)) == 20
    assert len(load_test("mnist", data)) == 10
    assert files_under(data) - {".mnist.lock"} == {
        f"MNIST/raw/{stem}"
        for stem in (
            "train-images-idx3-ubyte",
            "train-labels-idx1-ubyte",
            "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte",
        )
    }
    assert sorted(mirror.asked) == sorted(mirror.files)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_file_that_was_cut_short_is_not_taken_for_good(suffix: str, mirror: Mirror, tmp_path: Path) -> None:
    data = tmp_path / "data"
    images, _ = write_mnist(data / "MNIST" / "raw", suffix)
    cut = data / "MNIST" / "raw" / f"train-images-idx3-ubyte{suffix}"
    cut.write_bytes(cut.read_bytes()[:-100])
    assert len(load_train("mnist", data)) == len(images)
    assert sorted(mirror.asked) == sorted(mirror.files)


def run_callers(data: Path, folder: Path, count: int) -> list[str]:
    """What `count` processes that ask for MNIST at the same time print."""
    source = json.dumps(shared.data.fetch.source_of("mnist"))
    callers = [
        subprocess.Popen(
            [sys.executable, "-c", CALLER, str(data), str(folder / f"asked-{number}"), source],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(count)
    ]
    return [caller.communicate(timeout=60)[0].strip() for caller in callers]


def all_wait(folder: Path, count: int) -> Callable[[str], object]:
    """Holds a mirror's answers back until so many processes have asked for the data set."""
    return lambda _: wait_until(
        lambda: len(list(folder.glob("asked-*"))) >= count, f"{count} processes want the data set", 60
    )


def test_processes_that_start_together_download_once(mirror: Mirror, tmp_path: Path) -> None:
    mirror.before_answer = all_wait(tmp_path, 4)
    assert run_callers(tmp_path / "data", tmp_path, 4) == ["28"] * 4
    assert sorted(mirror.asked) == sorted(mirror.files)


def test_processes_that_start_together_share_a_failure(mirror: Mirror, tmp_path: Path) -> None:
    mirror.before_answer = all_wait(tmp_path, 4)
    mirror.answer = b"HTTP/1.1 503 The disk of the mirror burns\r\nContent-Length: 0\r\n\r\n"
    printed = run_callers(tmp_path / "data", tmp_path, 4)
    assert all("The disk of the mirror burns" in line for line in printed)
    assert len(mirror.asked) == 2  # one process, which tried again
    assert files_under(tmp_path / "data") == {".mnist.lock", ".mnist.failed"}

    mirror.answer = None
    assert run_callers(tmp_path / "data", tmp_path, 1) == ["28"]


def test_a_connection_that_breaks_is_tried_again(mirror: Mirror, tmp_path: Path) -> None:
    mirror.cut_after = 100
    assert len(load_train("mnist", tmp_path)) == 20
    assert len(mirror.asked) == len(mirror.files) + 1


def test_the_next_mirror_is_asked_for_what_the_first_does_not_have(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Mirror() as first:
        first.files = {name: content for name, content in mirror.files.items() if "labels" not in name}
        monkeypatch.setattr(MNIST, "mirrors", [first.url, mirror.url])
        assert len(load_train("mnist", tmp_path)) == 20


def test_a_server_that_calls_the_packing_an_encoding_is_understood(mirror: Mirror, tmp_path: Path) -> None:
    mirror.headers = "Content-Encoding: x-gzip\r\n"
    assert len(load_train("mnist", tmp_path)) == 20


def test_a_download_is_given_up_at_once_when_nobody_wants_it_any_more(mirror: Mirror, tmp_path: Path) -> None:
    released = threading.Event()
    mirror.before_answer = lambda _: released.wait(60)

    def checkpoint() -> None:
        if mirror.asked:
            raise Cancelled("not any more")

    try:
        with pytest.raises(Cancelled, match="not any more"):
            load_test("mnist", tmp_path, checkpoint)
        assert files_under(tmp_path) == {".mnist.lock"}
    finally:
        released.set()
        wait_until(
            lambda: "download-mnist" not in {thread.name for thread in threading.enumerate()},
            "the download has noticed",
        )
    assert files_under(tmp_path) == {".mnist.lock"}


def test_cifar10_is_downloaded_and_unpacked(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = write_cifar10(tmp_path / "served", monkeypatch)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(served, CIFAR10.base_folder)
    mirror.files = {CIFAR10.filename: archive.getvalue()}
    monkeypatch.setattr(CIFAR10, "url", f"{mirror.url}{CIFAR10.filename}")
    monkeypatch.setattr(CIFAR10, "tgz_md5", hashlib.md5(archive.getvalue()).hexdigest())

    data = tmp_path / "data"
    assert len(load_train("cifar10", data)) == 8
    assert files_under(data) == {
        ".cifar10.lock",
        *(f"{CIFAR10.base_folder}/{name}" for name in CIFAR10_FILES),
    }


def test_a_failed_download_names_the_cause_and_the_choices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        http_proxy(b"HTTP/1.1 503 Service Unavailable\r\n\r\n", monkeypatch),
        pytest.raises(DatasetUnavailable) as raised,
    ):
        load_train("fashion-mnist", tmp_path)
    message = str(raised.value)
    for words in ("503", str(tmp_path), "digits or synthetic", "--data-dir", "FEDLOOM_DATA_DIR"):
        assert words in message
    assert "Traceback" not in message
    assert files_under(tmp_path) <= {".fashion-mnist.lock", ".fashion-mnist.failed"}


def test_a_download_that_was_tampered_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = gzip.compress(b"not the data set")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    with http_proxy(answer, monkeypatch), pytest.raises(DatasetUnavailable, match="corrupted"):
        load_train("fashion-mnist", tmp_path)
    assert files_under(tmp_path) <= {".fashion-mnist.lock", ".fashion-mnist.failed"}


def test_a_download_that_stalls_is_given_up(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    mirror.before_answer = lambda _: released.wait(60)
    monkeypatch.setattr(shared.data.fetch, "STALL_S", 1.0)
    try:
        with pytest.raises(DatasetUnavailable, match="no data arrived for 1 s"):
            load_train("mnist", tmp_path / "data")
    finally:
        released.set()
    assert files_under(tmp_path / "data") <= {".mnist.lock", ".mnist.failed"}


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetUnavailable, match="cannot be used"):
        load_train("mnist", tmp_path / "file")


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


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every download fails, at once and at the first attempt."""
    monkeypatch.setattr(shared.data.fetch, "RETRIES", 0)
    for name, value in {**NO_NETWORK, "no_proxy": ""}.items():
        monkeypatch.setenv(name, value)


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
