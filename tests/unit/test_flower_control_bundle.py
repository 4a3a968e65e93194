"""What `flwr run` sends is compared with the server's own app; all else is refused in words."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flwr.cli.build import build_fab_from_disk
from hypothesis import given
from hypothesis import strategies as st

from app.flower_control import bundle
from app.flower_control.bundle import Bundle, difference, read_bundle
from shared.errors import AppInvalid
from shared.flower_app import read_app
from tests.support.apps import APPS, write_app

PROJECT = b'[project]\nname = "made-up"\nversion = "1.0.0"\n'
APP = APPS / "quickstart-numpy"
FAB = build_fab_from_disk(APP)


def packed(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path), content, compress_type=method)
    return buffer.getvalue()


def named_by_hand(name: bytes) -> bytes:
    """An archive with a file of a name that Python would not write."""
    return packed({"pyproject.toml": PROJECT, "x" * len(name): b""}).replace(b"x" * len(name), name)


@pytest.mark.parametrize("folder", sorted(APPS.iterdir()), ids=lambda folder: folder.name)
def test_an_app_is_the_same_in_its_bundle_as_in_its_folder(folder: Path) -> None:
    sent, own = read_bundle(build_fab_from_disk(folder)), read_app(folder)

    assert (sent.name, sent.version, sent.digest) == (own.name, own.version, own.digest)
    assert difference(own, sent) is None


def test_federations_in_the_project_file_which_flower_leaves_out_make_no_difference(tmp_path: Path) -> None:
    more = "[tool.flwr.federations]\ndefault = 'x'\n[tool.flwr.federations.x]\noptions.num-supernodes = 2\n"
    folder = write_app(tmp_path / "made-up", "pkg", config=f"num-server-rounds = 3\n{more}")

    assert difference(read_app(folder), read_bundle(build_fab_from_disk(folder))) is None


def test_a_copy_of_the_app_in_its_folder_which_flower_bundles_makes_no_difference(tmp_path: Path) -> None:
    """A server that is started in the app's folder has its own folder there."""
    folder = write_app(tmp_path / "made-up", "pkg")
    copy = folder / ".fedloom" / "apps" / "made-up" / "server"
    copy.mkdir(parents=True)
    (copy / "client_app.py").write_text("app = None\n", encoding="utf-8")

    assert difference(read_app(folder), read_bundle(build_fab_from_disk(folder))) is None


class TestAnotherApp:
    """A server says which app it runs, which was sent, and what to do."""

    own = read_app(APP)

    def sent(self, **changes: Any) -> Bundle:
        return replace(Bundle(self.own.name, self.own.version, dict(self.own.files)), **changes)

    def test_is_named_beside_its_own(self) -> None:
        words = difference(self.own, self.sent(name="other"))

        assert words is not None
        assert words.startswith(
            "This server runs the Flower app quickstart-numpy 1.0.0; yours is other 1.0.0. It never runs "
            "code that it was sent"
        )
        assert words.endswith("with --app and the folder of other 1.0.0.")

    def test_is_one_of_another_version(self) -> None:
        assert "yours is quickstart-numpy 2.0" in str(difference(self.own, self.sent(version="2.0")))

    def test_is_any_where_the_built_in_one_runs(self) -> None:
        assert str(difference(None, self.sent())).startswith("This server runs its built-in app; yours is")

    def test_is_one_with_other_files_which_are_named(self) -> None:
        files = dict(self.own.files)
        gone = "numpyexample/__init__.py"
        del files[gone]
        files |= {"pyproject.toml": "0" * 64, "added.py": "1" * 64}

        words = str(difference(self.own, replace(self.sent(), files=files)))

        assert "added.py (only with you)" in words
        assert "pyproject.toml (changed)" in words
        assert f"{gone} (only at the server)" in words

    def test_is_not_described_by_all_of_its_files(self) -> None:
        files = {f"{number}.py": "" for number in range(1_000)}

        words = str(difference(self.own, replace(self.sent(), files=files)))

        assert f"and {1_000 + len(self.own.files) - 5} more" in words
        assert len(words) < 1_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no Flower App Bundle"),
        (b"PK\x05\x06" + bytes(18), "there is no pyproject.toml in it"),
        (b"x" * (10 * 1024 * 1024 + 1), "larger than the 10 MiB"),
        (b"PK\x01\x02" * 10_001, "more than 10,000 files"),
        (packed({"a.py": b""}), "there is no pyproject.toml in it"),
        (packed({"pyproject.toml": b"\xff"}), "no Flower App Bundle that can be read"),
        (packed({"pyproject.toml": b"= 1"}), "no Flower App Bundle that can be read"),
        (packed({"pyproject.toml": b"a = " + b"[" * 50_000}), "no Flower App Bundle that can be read"),
        (packed({"pyproject.toml": b"project = 1"}), "no name and version under"),
        (packed({"pyproject.toml": b"[project]\nname = 1\nversion = '1'"}), "no name and version under"),
        (packed({"pyproject.toml": b"#" * 300_000}), "larger than 256 KiB"),
        (packed({"pyproject.toml": PROJECT}, zipfile.ZIP_LZMA), "packed in a way that Flower does not use"),
        (packed({"pyproject.toml": PROJECT}, zipfile.ZIP_BZIP2), "packed in a way that Flower does not use"),
        (packed({"pyproject.toml": PROJECT, "a.json": bytes(129 << 20)}), "larger than 128 MiB together"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_bundle_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(AppInvalid, match=reason):
        read_bundle(content)


@pytest.mark.parametrize(
    "name",
    [
        b"../a.py",
        b"a/../../b.py",
        b"/etc/passwd",
        b"a//b.py",
        b"./a.py",
        b"a/",
        b"C:\\a.py",
        b"..\\a.py",
        b"a\0.py",
    ],
)
def test_a_name_that_leads_out_of_the_app_is_refused(name: bytes) -> None:
    with pytest.raises(AppInvalid, match="a name that no app has"):
        read_bundle(named_by_hand(name))


def test_a_name_that_comes_twice_is_refused() -> None:
    twice = packed({"pyproject.toml": PROJECT, "a.py": b"1", "b.py": b"2"}).replace(b"b.py", b"a.py")

    with pytest.raises(AppInvalid, match=r"two files named 'a\.py'"):
        read_bundle(twice)


def test_an_encrypted_file_is_refused() -> None:
    archive = bytearray(packed({"pyproject.toml": PROJECT}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        archive[archive.index(mark) + place] |= 1

    with pytest.raises(AppInvalid, match="no Flower App Bundle that can be read"):
        read_bundle(bytes(archive))


def test_a_bomb_that_lies_about_its_size_is_not_unpacked() -> None:
    """64 MiB in 64 KiB, said to be 100 bytes; Python's own `ZipFile.read` unpacks all before it cuts."""
    bomb, size = bytes(64 << 20), 100
    archive = packed({"pyproject.toml": PROJECT, "a.json": bomb})
    lie = archive.replace(struct.pack("<L", len(bomb)), struct.pack("<L", size))
    assert lie.count(struct.pack("<L", zlib.crc32(bomb))) == 2

    tracemalloc.start()
    try:
        with pytest.raises(AppInvalid, match="Bad CRC-32"):
            read_bundle(lie)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


def test_the_directory_of_many_files_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "MAX_FILES", 10)
    monkeypatch.setattr(zipfile, "ZipFile", lambda _: pytest.fail("it was read, which takes seconds"))

    with pytest.raises(AppInvalid, match="more than 10 files"):
        read_bundle(packed_names(11))


def packed_names(number: int) -> bytes:
    """What stands for an archive of so many files."""
    return b"PK\x01\x02" * number


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_words(garbage: bytes) -> None:
    with pytest.raises(AppInvalid):
        read_bundle(garbage)


@given(st.lists(st.tuples(st.integers(0, len(FAB) - 1), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_damaged_bundle_is_refused_in_words_or_another_app_or_the_same(
    damage: list[tuple[int, int]],
) -> None:
    damaged = bytearray(FAB)
    for position, value in damage:
        damaged[position] = value
    try:
        sent = read_bundle(bytes(damaged))
    except AppInvalid:
        return
    if sent.digest == read_app(APP).digest:
        assert sent == read_bundle(FAB)
    else:
        assert difference(read_app(APP), sent) is not None


NAMES = st.text(max_size=10).map(lambda name: name.partition("\0")[0])
"""As an archive has them: what follows a NUL is no part of a name, so that two may be the same."""


@given(
    st.dictionaries(NAMES, st.binary(max_size=50), max_size=5),
    st.binary(max_size=50) | st.just(PROJECT),
)
def test_any_files_are_an_app_or_refused_in_words(files: dict[str, bytes], project: bytes) -> None:
    try:
        content = packed({"pyproject.toml": project, **files})
    except (ValueError, UnicodeError):  # no archive can have such a name
        return
    try:
        sent = read_bundle(content)
    except AppInvalid:
        return
    assert sent.name == "made-up"
