"""A place to download from, and the lack of one."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from torchvision.datasets import MNIST

import shared.data.fetch
from tests.support.dataset_files import write_mnist
from tests.support.mirror import Mirror
from tests.support.processes import NO_NETWORK


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
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every download fails, at once and at the first attempt."""
    monkeypatch.setattr(shared.data.fetch, "RETRIES", 0)
    for name, value in {**NO_NETWORK, "no_proxy": ""}.items():
        monkeypatch.setenv(name, value)
