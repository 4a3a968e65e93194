"""A client cosigns a log that has only grown, and objects to any other, until a person has decided."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from client.witness import Witness
from shared.errors import LogObjection
from shared.proto.link_pb2 import Cosignature, LogCheckpoint
from shared.security.checkpoint import Checkpoint
from shared.security.keys import KeyPair
from shared.security.merkle import LogTree, leaf_hash
from shared.security.next_key import announce
from shared.security.witness_file import WitnessFile, WitnessFileInvalid
from tests.support.audit import LOG_ID, a_key

WATCH = object()


class Log:
    """What a server could show, the honest one and others."""

    def __init__(self, *entries: str, log: bytes = LOG_ID, key: KeyPair | None = None) -> None:
        self.tree = LogTree()
        self.id = log
        self.key = key or a_key()
        for entry in entries:
            self.add(entry)

    def add(self, entry: str) -> None:
        self.tree.add(leaf_hash(entry.encode()))

    def shows(self, since: int = 0, size: int | None = None) -> LogCheckpoint:
        size = self.tree.size if size is None else size
        checkpoint = Checkpoint.sign(self.id, size, self.tree.root(size), 1_000 + size, self.key)
        proof = self.tree.consistency_proof(since, size) if 0 < since <= size else []
        return checkpoint.to_frame(since, proof)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def a_witness(home: Path) -> Witness:
    witness = Witness(home, "client-1", a_key("client-1"))
    witness.require_no_objection()
    return witness


def shown(home: Path, frame: LogCheckpoint, server: KeyPair | None = None) -> Cosignature:
    """What a client that was just started answers."""
    witness, key = a_witness(home), (server or a_key()).public
    witness.statement(key, WATCH)
    answer = witness.judge(key, frame, WATCH)
    assert answer is not None
    return answer


def test_what_is_shown_first_is_kept_and_cosigned(home: Path) -> None:
    log = Log("a", "b")
    assert a_witness(home).statement(a_key().public, WATCH) == Cosignature()

    answer = shown(home, log.shows())

    Checkpoint.of_frame(log.shows(), a_key().public.id).verify_cosignature(
        answer.signature, a_key("client-1").public
    )
    assert (answer.log, answer.size) == (LOG_ID, 2)
    assert a_witness(home).statement(a_key().public, WATCH) == Cosignature(log=LOG_ID, size=2)


def test_a_log_that_grows_is_followed(home: Path) -> None:
    log = Log("a")
    seen = 0
    for entry in "bcdefgh":
        assert shown(home, log.shows(since=seen)).size == log.tree.size
        assert shown(home, log.shows(since=log.tree.size)).size == log.tree.size, "and the same again"
        seen = log.tree.size
        log.add(entry)

    file = WitnessFile.read(home / "witness" / "client-1.json")
    assert file is not None
    assert [each.checkpoint.size for each in file.seen] == [7]


CUT, REWRITTEN, FORKED = Log("a", "b"), Log("a", "B", "c", "d"), Log("a", "b", "C")


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (CUT.shows(), "it was cut to 2 entries, and had 3"),
        (CUT.shows(since=3), "it was cut to 2 entries, and had 3"),
        (REWRITTEN.shows(since=3), "nothing proves that its first 3 entries are still the same"),
        (REWRITTEN.shows(since=0), "nothing proves that its first 3 entries are still the same"),
        (FORKED.shows(since=3), "its 3 entries are not the same any more"),
        (Log("a", "b", "c", "d").shows(since=2), "nothing proves that its first 3 entries"),
        (Log("a", "b", "c", "d", log=bytes(16)).shows(since=3), "it is another log, of 4 entries"),
        (Log("a", "b", "c", "d", key=a_key("other")).shows(since=3), "not signed by the server"),
        (LogCheckpoint(log=LOG_ID, size=4), "what it shows is no checkpoint"),
        (LogCheckpoint(), "what it shows is no checkpoint"),
    ],
)
def test_a_log_that_is_not_the_one_of_before_is_objected_to(
    home: Path, frame: LogCheckpoint, words: str
) -> None:
    shown(home, Log("a", "b", "c").shows())
    before = (home / "witness" / "client-1.json").read_bytes()

    with pytest.raises(LogObjection, match=words):
        shown(home, frame)

    evidence = json.loads((home / "witness" / "client-1.objection.json").read_text())
    assert words in evidence["objection"]
    assert evidence["seen"]["size"] == 3
    assert evidence["shown"]["signature"] == frame.signature.hex()
    assert (home / "witness" / "client-1.json").read_bytes() == before, "it vouches for nothing new"


def test_after_an_objection_the_client_waits_for_a_person(home: Path) -> None:
    shown(home, Log("a", "b", "c").shows())
    with pytest.raises(LogObjection):
        shown(home, CUT.shows())

    with pytest.raises(LogObjection, match="takes no part until somebody has decided"):
        shown(home, Log("a", "b", "c").shows(since=3))

    (home / "witness" / "client-1.objection.json").unlink()
    shown(home, Log("a", "b", "c").shows(since=3))
    with pytest.raises(LogObjection):
        shown(home, CUT.shows())
    for name in ("client-1.objection.json", "client-1.json"):
        (home / "witness" / name).unlink()
    assert shown(home, CUT.shows()).size == 2, "the person has decided to trust it as it is"


def test_each_server_has_its_own_log(home: Path) -> None:
    other = a_key("other")
    shown(home, Log("a", "b", "c").shows())

    shown(home, Log("x", log=bytes(16), key=other).shows(), other)

    assert a_witness(home).statement(a_key().public, WATCH).size == 3
    assert a_witness(home).statement(other.public, WATCH).size == 1


def test_a_server_that_has_got_another_key_goes_on_with_its_log_or_is_objected_to(home: Path) -> None:
    shown(home, Log("a", "b", "c").shows())
    new = a_key("new")
    assert a_witness(home).statement(new.public, WATCH) == Cosignature(log=LOG_ID, size=3)

    with pytest.raises(LogObjection, match="nothing proves"):
        shown(home, Log("a", "B", "c", "d", key=new).shows(since=3), new)
    (home / "witness" / "client-1.objection.json").unlink()
    shown(home, Log("a", "b", "c", "d", key=new).shows(since=3), new)

    file = WitnessFile.read(home / "witness" / "client-1.json")
    assert file is not None
    assert [(each.server, each.checkpoint.size) for each in file.seen] == [(new.public, 4)]


@pytest.mark.parametrize("heard", ["before the log was seen", "after the log was seen", "in another process"])
def test_a_new_key_that_was_announced_is_no_way_to_begin_a_new_log(home: Path, heard: str) -> None:
    witness, log, new, server = a_witness(home), Log("a", "b", "c"), a_key("new"), a_key().public
    notice = announce(a_key(), new.public)
    witness.statement(server, WATCH)
    if heard == "before the log was seen":
        witness.heard_of(server, notice)
    witness.judge(server, log.shows(), WATCH)
    if heard != "before the log was seen":
        (a_witness(home) if heard == "in another process" else witness).heard_of(server, notice)
    log.add("d")
    shown(home, log.shows(since=3))
    assert a_witness(home).statement(new.public, WATCH).size == 4

    with pytest.raises(LogObjection, match="it is another log, of 1 entries, in place of that of 4"):
        shown(home, Log("x", log=bytes(16), key=new).shows(), new)
    (home / "witness" / "client-1.objection.json").unlink()
    log.key = new
    log.add("e")
    shown(home, log.shows(since=4), new)
    with pytest.raises(LogObjection, match="it is another log"):
        shown(home, Log("x", log=bytes(16), key=new).shows(), new)


def test_what_comes_over_a_connection_of_before_is_not_judged(home: Path) -> None:
    witness, log = a_witness(home), Log("a")
    witness.statement(a_key().public, "first")
    witness.statement(a_key().public, "second")

    assert witness.judge(a_key().public, log.shows(), "first") is None
    assert witness.statement(a_key().public, "third") == Cosignature()


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied"])
def test_a_client_whose_memory_is_damaged_says_so(home: Path, damage: str) -> None:
    shown(home, Log("a", "b", "c").shows())
    path = home / "witness" / "client-1.json"
    data = bytearray(path.read_bytes())
    match damage:
        case "cut":
            del data[-10:]
        case "flipped":
            data[data.index(b'"root":"') + 9] ^= 1
        case "emptied":
            data.clear()
    path.write_bytes(data)

    with pytest.raises(LogObjection, match="cannot tell whether the server's audit log is the same"):
        shown(home, Log("a", "b", "c").shows(since=3))


def test_a_client_that_cannot_remember_does_not_vouch(home: Path) -> None:
    (home / "witness").write_text("a file where the folder should be")

    with pytest.raises(LogObjection, match=r"cannot be kept|cannot tell"):
        shown(home, Log("a").shows())


def test_a_flipped_bit_in_what_a_client_has_kept_is_found_at_every_byte(home: Path) -> None:
    shown(home, Log("a", "b", "c").shows())
    a_witness(home).heard_of(a_key().public, announce(a_key(), a_key("new").public))
    path = home / "witness" / "client-1.json"
    data = path.read_bytes()
    harmless = set(range(data.index(b'"client":"') + 10, data.index(b'","format"')))
    """The client's own name, for which it does not sign there."""

    for place in sorted(set(range(len(data))) - harmless):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        path.write_bytes(changed)
        with pytest.raises(WitnessFileInvalid):
            WitnessFile.read(path)
