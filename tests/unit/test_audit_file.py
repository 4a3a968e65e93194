"""An exported log is what was signed, or is refused; where, and why, is said."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.audit.entry import Kind
from app.audit.file import LineInvalid, entry_line, parse_line
from app.audit.log import AuditLog
from app.audit.sense import spec_digest
from app.audit.verify import NotVerified, entries_of, verify
from app.store.store import Store
from app.store.urls import default_url
from shared.canonical import canonical
from shared.run_spec import RunSpec
from shared.security.checkpoint import Checkpoint
from shared.security.witness_file import Seen, WitnessFile
from tests.support.audit import a_key, begin, cosign, exported, opened, write


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(default_url(tmp_path)) as store:
        yield store


@pytest.fixture
def log(store: Store) -> AuditLog:
    """A log with one of each, that two clients have cosigned."""
    log = AuditLog.open(store, a_key())
    begin(log)
    write(log, store)
    for client_id in ("client-1", "client-2"):
        log.joined(client_id, a_key(client_id).public, host="here")
        write(log, store)
        cosign(log, client_id)
    spec = RunSpec().model_dump(mode="json")
    log.record(Kind.RUN_QUEUED, run="aa", spec=spec, digest=spec_digest(spec))
    for number in (1, 2):
        before, after = f"{number - 1:064x}", f"{number:064x}"
        log.record(
            Kind.AGGREGATED,
            run="aa",
            round=number,
            strategy="fedavg",
            before=before,
            after=after,
            updates=[],
            kept=False,
        )
    write(log, store)
    cosign(log, "client-1")
    write(log, store)
    return log


def refusal(data: bytes, *witnesses: WitnessFile) -> str:
    with pytest.raises(NotVerified) as refused:
        verify(opened(data), witnesses)
    return str(refused.value)


def kept_by(client_id: str, checkpoint: Checkpoint, whose: str = "server") -> WitnessFile:
    """What a client has kept that has seen this checkpoint."""
    key = a_key(client_id)
    seen = Seen(checkpoint, a_key(whose).public, checkpoint.cosign(key))
    return WitnessFile(client_id, key.public, (seen,))


def test_an_export_is_verified_with_nothing_but_the_file(log: AuditLog, store: Store) -> None:
    verified = verify(opened(exported(store)))

    assert (verified.server, verified.log) == (a_key().public.id, log.id)
    assert (verified.entries, verified.checkpoints) == (6, 4)
    assert verified.witnesses == {"client-1": 6, "client-2": 3}
    assert verified.unwitnessed == 0
    assert [entry.index for entry in entries_of(opened(exported(store)))] == list(range(6))


def test_the_same_log_gives_the_same_file(log: AuditLog, store: Store, tmp_path: Path) -> None:
    first = exported(store)
    store.close()
    with Store.open(default_url(tmp_path)) as again:
        assert exported(again) == first


def test_a_long_log_is_exported_page_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.audit.file.PAGE", 3)
    log = AuditLog.open(store, a_key())
    begin(log)
    for number in range(10):
        log.record(Kind.RUN_PAUSED, run="aa", round=number)
        if number % 4:
            write(log, store)
    write(log, store)

    assert verify(opened(exported(store))).entries == 11


def test_what_the_server_alone_vouches_for_is_told(log: AuditLog, store: Store) -> None:
    log.record(Kind.SERVER_STOPPED)
    write(log, store)

    assert verify(opened(exported(store))).unwitnessed == 1


def test_a_flipped_bit_is_found_at_every_byte_and_its_line_is_named(store: Store) -> None:
    log = AuditLog.open(store, a_key())
    begin(log)
    log.joined("c", a_key("c").public)
    write(log, store)
    cosign(log, "c")
    write(log, store)
    data = exported(store)
    assert verify(opened(data)).entries == 2

    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        line = 1 + data.count(b"\n", 0, place)
        assert re.match(rf"Line {line}\b", refusal(bytes(changed))), (place, data[place : place + 20])


@pytest.mark.parametrize(
    ("written", "instead", "words"),
    [
        (b'":"', b'": "', "not written in the one way"),
        (b'{"entry"', b' {"entry"', "not written in the one way"),
        (b"\n", b"\r\n", "not written in the one way"),
        (b"\n", b"\n\n", "no JSON"),
        (b'"leaf":"', b'"leaf":"A', "hex"),
    ],
)
def test_each_line_has_one_way_to_be_written(
    log: AuditLog, store: Store, written: bytes, instead: bytes, words: str
) -> None:
    data = exported(store)
    at = data.index(written, data.index(b"\n"))

    assert words in refusal(data[:at] + instead + data[at + len(written) :])


def lines_of(store: Store) -> list[bytes]:
    return exported(store).splitlines(keepends=True)


def place_of(lines: list[bytes], beginning: str, number: int = 0) -> int:
    return [place for place, line in enumerate(lines) if line.startswith(beginning.encode())][number]


def without_the_last_line(lines: list[bytes]) -> None:
    del lines[place_of(lines, '{"checkpoint"', -1) :]


def without_an_entry(lines: list[bytes]) -> None:
    del lines[place_of(lines, '{"entry"', 3)]


def without_a_checkpoint(lines: list[bytes]) -> None:
    del lines[place_of(lines, '{"checkpoint"', -1)]


def entries_swapped(lines: list[bytes]) -> None:
    first = place_of(lines, '{"entry"', 3)
    lines[first], lines[first + 1] = lines[first + 1], lines[first]


def checkpoint_moved(lines: list[bytes]) -> None:
    lines.insert(place_of(lines, '{"entry"', 4), lines.pop(place_of(lines, '{"checkpoint"', -1)))


def cosignature_under_another(lines: list[bytes]) -> None:
    cosignature = lines.pop(place_of(lines, '{"cosignature"'))
    lines.insert(place_of(lines, '{"checkpoint"') + 1, cosignature)


def cosignature_of_another_name(lines: list[bytes]) -> None:
    place = place_of(lines, '{"cosignature"')
    lines[place] = lines[place].replace(b"client-1", b"client-2")


def line_twice(lines: list[bytes]) -> None:
    lines.insert(2, lines[1])


def nothing(lines: list[bytes]) -> None:
    lines.clear()


def rewritten(lines: list[bytes]) -> None:
    """As somebody would who knows how the file is made."""
    place = place_of(lines, '{"entry"', 4)
    entry = json.loads(lines[place])["entry"]
    entry["fields"]["after"] = "f" * 64
    lines[place] = entry_line(canonical(entry))


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (without_the_last_line, "it does not end with a checkpoint over its 6 entries"),
        (without_an_entry, "it has the number 4, and 3 comes next"),
        (without_a_checkpoint, "does not come right after its checkpoint"),
        (entries_swapped, "it has the number 4, and 3 comes next"),
        (checkpoint_moved, "a checkpoint over 6 entries comes after 4"),
        (cosignature_under_another, "a cosignature: The signature is not one by the key"),
        (cosignature_of_another_name, "no client 'client-2' has joined with the key"),
        (line_twice, "it has the number 0, and 1 comes next"),
        (nothing, "Line 1, the header"),
        (rewritten, "round 2 does not begin with the model of the round before"),
    ],
)
def test_what_was_cut_moved_or_rewritten_is_found(
    log: AuditLog, store: Store, tamper: Callable[[list[bytes]], None], words: str
) -> None:
    lines = lines_of(store)
    tamper(lines)

    assert words in refusal(b"".join(lines))


def test_an_entry_that_was_rewritten_well_is_found_by_the_checkpoint_over_it(
    log: AuditLog, store: Store
) -> None:
    lines = lines_of(store)
    place = place_of(lines, '{"entry"', 5)
    entry = json.loads(lines[place])["entry"]
    entry["fields"]["after"] = "f" * 64
    lines[place] = entry_line(canonical(entry))

    words = refusal(b"".join(lines))

    assert re.search(
        r"the entries 3 to 5 \(lines \d+ to \d+\) are not those that the server has signed", words
    )


def test_another_server_cannot_sign_in_its_place(log: AuditLog, store: Store) -> None:
    lines = lines_of(store)
    place = place_of(lines, '{"checkpoint"', -1)
    newest = log.newest
    assert newest is not None
    forged = Checkpoint.sign(log.id, newest.size, newest.root, newest.time, a_key("another"))
    fields = {**json.loads(lines[place])["checkpoint"], "signature": forged.signature.hex()}
    lines[place] = canonical({"checkpoint": fields}) + b"\n"
    assert "The signature is not one by the key" in refusal(b"".join(lines))

    lines[place] = canonical({"checkpoint": {**fields, "signer": str(forged.signer)}}) + b"\n"
    assert "by a key that is no server's of this log" in refusal(b"".join(lines))


def test_a_spec_that_does_not_have_its_digest_is_found(store: Store) -> None:
    log = AuditLog.open(store, a_key())
    begin(log)
    log.record(Kind.RUN_QUEUED, run="aa", spec={}, digest="0" * 64)
    write(log, store)

    assert "entry 1: the digest is not that of the spec" in refusal(exported(store))


def test_an_entry_that_lacks_something_is_found(store: Store) -> None:
    log = AuditLog.open(store, a_key())
    begin(log)
    log.record(Kind.AGGREGATED, run="aa")
    write(log, store)

    assert "entry 1: it lacks what an entry of its kind has" in refusal(exported(store))


def test_a_log_whose_server_has_got_another_key_is_verified_by_the_last(log: AuditLog, store: Store) -> None:
    again = AuditLog.open(store, a_key("new"))
    key = a_key("new").public
    again.record(
        Kind.SERVER_STARTED, version="", log=log.id.hex(), key=str(key.id), public_key=key.der.hex(), app=None
    )
    write(again, store)

    data = exported(store)
    assert refusal(data).startswith("Line 1, the header: it names another key")
    lines = data.splitlines(keepends=True)
    lines[0] = lines[0].replace(a_key().public.der.hex().encode(), key.der.hex().encode())
    assert verify(opened(b"".join(lines))).server == key.id


# witnesses


def test_a_witness_finds_all_that_it_has_seen(log: AuditLog, store: Store) -> None:
    data = exported(store)
    for checkpoint in store.audit.checkpoints(0, 6):
        verify(opened(data), [kept_by("client-1", checkpoint)])


def test_a_file_that_was_cut_at_a_checkpoint_is_found_by_a_witness(log: AuditLog, store: Store) -> None:
    assert log.newest is not None
    lines = lines_of(store)
    del lines[place_of(lines, '{"entry"', 3) :]
    cut = b"".join(lines)
    verify(opened(cut))

    words = refusal(cut, kept_by("client-1", log.newest))

    assert words.startswith("The file was cut, or is older than what client-1 has seen: it has 3 entries")


def test_another_version_of_the_log_is_found_by_a_witness(log: AuditLog, store: Store) -> None:
    forked = Checkpoint.sign(log.id, 3, bytes(32), 1, a_key())

    words = refusal(exported(store), kept_by("client-1", forked))

    assert "another version of the log than the one that client-1 has seen" in words


def test_another_log_in_place_of_this_one_is_found_by_a_witness(log: AuditLog, store: Store) -> None:
    other = Checkpoint.sign(bytes(16), 3, bytes(32), 1, a_key())

    assert "client-1 has seen another log of this server" in refusal(
        exported(store), kept_by("client-1", other)
    )


def test_a_witness_of_another_server_says_nothing_of_this_one(log: AuditLog, store: Store) -> None:
    other = Checkpoint.sign(log.id, 3, bytes(32), 1, a_key("another"))

    words = refusal(exported(store), kept_by("client-1", other, "another"))

    assert words.startswith("client-1 has seen no log of the server with the key")


# any bytes


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_in_words(data: bytes) -> None:
    assert refusal(data)
    with pytest.raises(LineInvalid):
        parse_line(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=8,
)


@given(st.sampled_from(["entry", "checkpoint", "cosignature"]), JSON, JSON)
def test_lines_of_anything_are_refused_in_words(kind: str, value: object, leaf: object) -> None:
    for line in ({kind: value}, {kind: value, "leaf": leaf}):
        with pytest.raises(LineInvalid):
            parse_line(canonical(line) + b"\n")
