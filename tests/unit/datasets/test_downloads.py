"""Data sets that are fetched: once, whole, or with the reason why not."""

import gzip
import hashlib
import io
import json
import socketserver
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from torchvision.datasets import CIFAR10, MNIST

import shared.data.fetch
from shared.data.datasets import load_test, load_train
from shared.errors import Cancelled, DatasetUnavailable
from tests.support.connect_proxy import ConnectProxy
from tests.support.dataset_files import (
    CIFAR10_FILES,
    files_under,
    write_cifar10,
    write_mnist,
)
from tests.support.mirror import WEB_NAME, Mirror, web_tls
from tests.support.processes import ROOT
from tests.support.waiting import wait_until

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


def test_a_download_comes_by_the_proxy_where_there_is_no_other_way(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS, from a host that only the proxy knows."""
    tls, authority = web_tls(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
    with Mirror(tls) as far, ConnectProxy(far.address, login="site:p@ss:word") as proxy:
        far.files = mirror.files
        monkeypatch.setattr(MNIST, "mirrors", [f"https://{WEB_NAME}/"])
        for name, value in proxy.environment.items():
            monkeypatch.setenv(name, value)

        assert len(load_train("mnist", tmp_path / "data")) == 20

    assert set(proxy.asked) == {f"{WEB_NAME}:443"}
    assert sorted(far.asked) == sorted(mirror.files)
    assert mirror.asked == []


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
