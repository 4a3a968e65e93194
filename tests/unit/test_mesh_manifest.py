"""A manifest is what its author has signed for this folder, as an honest node writes it, or it is refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.files import manifest as module
from mesh.files.entry import Entry
from mesh.files.manifest import MAX_FILE_BYTES, Manifest, ManifestRefused, opened, signed
from mesh.files.names import NameRefused, require_safe
from mesh.files.version import MAX_COUNTER, Version
from mesh.node import Content
from shared.canonical import from_canonical
from shared.security.merkle import EMPTY_ROOT
from shared.security.statement import Purpose, statement
from tests.support.file_nodes import node_key
from tests.support.lying_manifest import manifest_by
from tests.support.processes import ROOT

AUTHOR, OTHER = node_key(0), node_key(1)
WRITER = "ABCDEFG-0123456789abcdef"


def is_safe(name: str) -> bool:
    try:
        require_safe(name)
    except NameRefused:
        return False
    return True


contents = st.builds(Content, st.binary(min_size=32, max_size=32), st.integers(1, MAX_FILE_BYTES)) | st.just(
    Content(EMPTY_ROOT, 0)
)
versions = st.dictionaries(
    st.from_regex(module.WRITER, fullmatch=True), st.integers(1, MAX_COUNTER), min_size=1, max_size=3
).map(Version.of)
times = st.integers(-(1 << 63), (1 << 63) - 1)
safe_names = st.text(max_size=12).filter(is_safe)
files = st.builds(Entry, safe_names, versions, st.just(WRITER), times, contents, st.booleans())
deletions = st.builds(Entry, safe_names, versions, st.just(WRITER), times, st.none())


@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.lists(files | deletions, max_size=4), st.integers(1, MAX_COUNTER))
def test_what_is_signed_is_what_is_read(entries: list[Entry], sequence: int) -> None:
    manifest = Manifest("papers", sequence, {entry.name: entry for entry in entries})
    assert opened(signed(manifest, AUTHOR), "papers", AUTHOR.public) == manifest


@given(st.binary(max_size=400))
def test_bytes_that_nobody_signed_are_refused(data: bytes) -> None:
    with pytest.raises(ManifestRefused):
        opened(data, "papers", AUTHOR.public)


def test_a_manifest_of_another_author_or_folder_is_refused() -> None:
    data = signed(Manifest("papers", 1, {}), AUTHOR)
    with pytest.raises(ManifestRefused):
        opened(data, "papers", OTHER.public)
    with pytest.raises(ManifestRefused):
        opened(data, "pictures", AUTHOR.public)


def test_one_changed_bit_is_refused() -> None:
    data = bytearray(signed(Manifest("papers", 1, {}), AUTHOR))
    data[-2] ^= 1
    with pytest.raises(ManifestRefused, match="signature"):
        opened(bytes(data), "papers", AUTHOR.public)


def test_a_signature_for_another_purpose_is_none() -> None:
    body = signed(Manifest("papers", 1, {}), AUTHOR)[256:]
    words = statement(Purpose.MESH_ENVELOPE, "papers", AUTHOR.public.id.digest, body)
    with pytest.raises(ManifestRefused, match="signature"):
        opened(AUTHOR.sign(words) + body, "papers", AUTHOR.public)


GOOD = {
    "executable": False,
    "modified": 1,
    "name": "a",
    "root": "11" * 32,
    "size": 1,
    "version": {WRITER: 1},
    "writer": WRITER,
}


def by_a_liar(entries: Any, **fields: Any) -> bytes:
    """A manifest with a good signature, by somebody who writes what no honest node writes."""
    return manifest_by(AUTHOR, "papers", entries, **fields)


def test_what_the_liar_changes_is_taken_when_it_is_honest() -> None:
    assert opened(by_a_liar([GOOD]), "papers", AUTHOR.public).entries.keys() == {"a"}


LIES: list[dict[str, Any]] = [
    {"name": "../a"},
    {"name": "/etc/passwd"},
    {"name": "con"},
    {"name": ".fedloom/folder"},
    {"name": 1},
    {"root": "11" * 31},
    {"root": "zz" * 32},
    {"root": "AA" * 32},
    {"root": EMPTY_ROOT.hex()},
    {"size": 0},
    {"size": -1},
    {"size": MAX_FILE_BYTES + 1},
    {"size": 1.0},
    {"size": True},
    {"version": {}},
    {"version": {WRITER: 0}},
    {"version": {WRITER: MAX_COUNTER + 1}},
    {"version": {"somebody": 1}},
    {"version": {f"ABCDEFG-{number:016x}": 1 for number in range(1_025)}},
    {"version": [1]},
    {"writer": "../../x"},
    {"executable": 1},
    {"modified": 1 << 63},
    {"link": "/etc"},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_one_entry_that_no_honest_node_writes_spoils_the_manifest(lie: dict[str, Any]) -> None:
    with pytest.raises(ManifestRefused):
        opened(by_a_liar([GOOD | lie]), "papers", AUTHOR.public)


@pytest.mark.parametrize(
    "data",
    [
        by_a_liar([GOOD, GOOD]),
        by_a_liar([GOOD | {"name": "b"}, GOOD]),
        by_a_liar({"a": GOOD}),
        by_a_liar([["a"]]),
        by_a_liar([{key: value for key, value in GOOD.items() if key != "version"}]),
        by_a_liar([], sequence=0),
        by_a_liar([], sequence=MAX_COUNTER + 1),
        by_a_liar([], sequence=None),
        by_a_liar([], format=2),
        by_a_liar([], more=1),
    ],
    ids=range(10),
)
def test_a_list_that_no_honest_node_writes_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestRefused):
        opened(data, "papers", AUTHOR.public)


def test_a_manifest_written_in_another_way_is_refused() -> None:
    body = by_a_liar([GOOD])[256:]
    spaced = body.replace(b":", b": ")
    assert from_canonical(body)
    words = statement(Purpose.MESH_MANIFEST, "papers", AUTHOR.public.id.digest, spaced)
    with pytest.raises(ManifestRefused):
        opened(AUTHOR.sign(words) + spaced, "papers", AUTHOR.public)


def test_a_manifest_that_is_too_large_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    data = by_a_liar([GOOD])
    monkeypatch.setattr(module, "MAX_MANIFEST_BYTES", len(data) - 1)
    with pytest.raises(ManifestRefused, match="bytes is not taken"):
        opened(data, "papers", AUTHOR.public)


def many(count: int) -> dict[str, Entry]:
    """The smallest entries there are."""
    entries = (Entry(f"{number:x}", Version.of({WRITER: 1}), WRITER, number, None) for number in range(count))
    return {entry.name: entry for entry in entries}


def test_one_that_names_more_than_a_node_keeps_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = signed(Manifest("papers", 1, many(21)), AUTHOR)
    opened(data, "papers", AUTHOR.public)
    monkeypatch.setattr(module, "MAX_ENTRIES", 20)

    with pytest.raises(ManifestRefused, match="more than 20 files"):
        opened(data, "papers", AUTHOR.public)


def test_what_is_in_memory_already_takes_none_once_more() -> None:
    mine = many(3)

    def same(entry: Entry) -> Entry:
        known = mine.get(entry.name, entry)
        return known if known == entry else entry

    changed = replace(mine["1"], modified_ns=77)
    told = opened(
        signed(Manifest("papers", 1, {**mine, "1": changed}), AUTHOR), "papers", AUTHOR.public, same
    ).entries

    assert told == {**mine, "1": changed}
    assert told["0"] is mine["0"]


COUNT = 40_000
LIMIT_BYTES = 34 << 20
"""For what so many take, while they are read and afterwards."""

READER = """
import resource, sys
from pathlib import Path
from mesh.files.manifest import opened
from shared.security.keys import PublicKey

data, key = Path(sys.argv[1]).read_bytes(), PublicKey(Path(sys.argv[2]).read_bytes())
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
print(len(opened(data, "papers", key).entries))
"""


@pytest.mark.skipif(
    sys.platform != "linux", reason="needs /proc: memory is limited to what is used and a bit"
)
def test_many_are_read_in_a_bounded_memory(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(AUTHOR.public.der)
    (tmp_path / "many").write_bytes(signed(Manifest("papers", 1, many(COUNT)), AUTHOR))

    done = subprocess.run(
        [sys.executable, "-c", READER, tmp_path / "many", tmp_path / "key", str(LIMIT_BYTES)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
        timeout=170,
    )

    assert done.stdout == f"{COUNT}\n", done.stderr
