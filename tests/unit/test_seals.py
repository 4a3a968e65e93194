"""What is signed of a message says one thing only, however it was cut on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shared.hashing
from client.sealing import NotFromServer, Sealing
from shared.app_host.serialised import Serialised
from shared.hashing import ArrivingDigests
from shared.proto.link_pb2 import Seal
from shared.security.digest import Digests, RunningDigests, digest_of
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyUnusable
from shared.security.receipts import Receipt, ReceiptInvalid
from shared.security.seals import Accepted, Instructed, Update
from tests.support.sealing import SERVER, THREADS, a_key, digests_of

messages = st.builds(
    Serialised, st.binary(max_size=40), st.lists(st.binary(max_size=40), max_size=5).map(tuple)
)
a_few = settings(max_examples=40, deadline=None)


def pieces(message: Serialised, cuts: list[int]) -> Iterator[bytes]:
    """The message, cut at these places."""
    data = b"".join(message.parts)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        yield data[start:end]


class TestDigests:
    @given(messages, st.lists(st.integers(0, 300), max_size=8))
    def test_where_a_message_was_cut_does_not_matter(self, message: Serialised, cuts: list[int]) -> None:
        running = RunningDigests(len(message.skeleton))
        for piece in pieces(message, cuts):
            running.update(piece)

        assert running.digests() == digests_of(message)

    @a_few
    @given(messages, st.lists(st.integers(0, 300), max_size=8))
    def test_nor_in_which_thread_it_was_hashed(self, message: Serialised, cuts: list[int]) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(shared.hashing, "SMALL_ARRIVING", 0)
            arriving = ArrivingDigests(len(message.skeleton), sum(map(len, message.parts)), THREADS)
        for piece in pieces(message, cuts):
            arriving.add(piece)

        assert arriving.finish().result(10) == digests_of(message)

    @given(messages, st.data())
    def test_any_bit_that_is_changed_is_found(self, message: Serialised, data: st.DataObject) -> None:
        whole = bytearray(b"".join(message.parts))
        if not whole:
            return
        bit = data.draw(st.integers(0, 8 * len(whole) - 1))
        whole[bit // 8] ^= 1 << bit % 8
        running = RunningDigests(len(message.skeleton))
        running.update(bytes(whole))

        assert running.digests() != digests_of(message)

    def test_who_sends_faster_than_can_be_hashed_is_told_to_wait(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shared.hashing, "MAX_BEHIND", 10)
        with ThreadPoolExecutor(1) as threads:
            blocked = ThreadPoolExecutor(1)
            busy = threads.submit(blocked.submit(lambda: None).result)
            arriving = ArrivingDigests(0, 1 << 30, threads)
            for _ in range(3):
                arriving.add(bytes(6))
            behind = arriving.behind()

            busy.result(10)
            if behind is not None:  # the thread may have been faster
                behind.result(10)
            assert arriving.behind() is None
            assert arriving.finish().result(10).arrays == digest_of([bytes(18)])
            blocked.shutdown()


UPDATE = Update(
    server=a_key(SERVER).public.id,
    run_id=7,
    round=3,
    message_id="m",
    client_id="client-1",
    client=a_key("client-1").public.id,
    sequence=11,
    digests=Digests(b"s" * 32, b"a" * 32),
    base=b"b" * 32,
)

OTHERWISE: dict[str, Any] = {
    "server": KeyId(bytes(32)),
    "run_id": 8,
    "round": 4,
    "message_id": "n",
    "client_id": "client-2",
    "client": KeyId(bytes(32)),
    "sequence": 12,
    "digests": Digests(b"a" * 32, b"s" * 32),
    "base": b"c" * 32,
}


@pytest.mark.parametrize("field", OTHERWISE)
def test_a_client_signs_all_that_it_says_of_its_update(field: str) -> None:
    key = a_key("client-1")
    signature = key.sign(UPDATE.statement())

    key.public.verify(signature, UPDATE.statement())
    with pytest.raises(BadSignature):
        key.public.verify(signature, replace(UPDATE, **{field: OTHERWISE[field]}).statement())


@pytest.mark.parametrize("field", ["run_id", "round", "message_id", "client", "digests"])
def test_a_server_signs_all_that_it_says_of_its_message(field: str) -> None:
    instructed = Instructed(7, 3, "m", a_key("client-1").public.id, UPDATE.digests)
    other = replace(instructed, **{field: OTHERWISE[field]})

    assert instructed.statement() != other.statement()


class TestWhatTheServerSends:
    """A client looks at nothing that its server has not signed for it."""

    DIGESTS = Digests(b"s" * 32, b"a" * 32)

    @pytest.fixture
    def sealing(self) -> Sealing:
        return Sealing("client-1", a_key("client-1"), THREADS)

    def seal(self, signer: str = SERVER, **changes: Any) -> Seal:
        said = replace(Instructed(7, 3, "m", a_key("client-1").public.id, self.DIGESTS), **changes)
        return Seal(run_id=7, round=3, signature=a_key(signer).sign(said.statement()))

    def test_is_taken_if_it_is_signed_for_this_client(self, sealing: Sealing) -> None:
        origin = sealing.verify(a_key(SERVER).public, "m", self.DIGESTS, self.seal())

        assert (origin.instructed.run_id, origin.instructed.round) == (7, 3)
        signed = sealing.sign(origin, Serialised(b"x")).signed.result()
        assert signed.update.base == self.DIGESTS.arrays
        a_key("client-1").public.verify(signed.signature, signed.update.statement())

    @pytest.mark.parametrize(
        "changes",
        [
            {"signer": "somebody else"},
            {"run_id": 8},
            {"round": 4},
            {"message_id": "n"},
            {"client": a_key("client-2").public.id},
            {"digests": Digests(b"s" * 32, b"A" * 32)},
            {"digests": Digests(b"S" * 32, b"a" * 32)},
        ],
    )
    def test_is_not_looked_at_if_it_is_signed_otherwise(
        self, sealing: Sealing, changes: dict[str, Any]
    ) -> None:
        with pytest.raises(NotFromServer, match="was changed"):
            sealing.verify(a_key(SERVER).public, "m", self.DIGESTS, self.seal(**changes))

    def test_is_not_looked_at_without_a_signature(self, sealing: Sealing) -> None:
        with pytest.raises(NotFromServer, match="without the server's signature"):
            sealing.verify(a_key(SERVER).public, "m", self.DIGESTS, None)


ACCEPTED = Accepted(UPDATE, 1_700_000_000_123_456)
A_RECEIPT = Receipt(a_key(SERVER).public, ACCEPTED, a_key(SERVER).sign(ACCEPTED.statement()), b"the client's")


class TestReceipt:
    def test_it_can_be_kept_as_a_line_and_checked_later(self) -> None:
        receipt = Receipt.parse(A_RECEIPT.as_line())

        assert receipt == A_RECEIPT
        receipt.verify()

    def test_one_that_names_another_server_than_the_one_that_signed_it_is_found(self) -> None:
        accepted = Accepted(replace(UPDATE, server=KeyId(bytes(32))), 1)
        signature = a_key(SERVER).sign(accepted.statement())

        with pytest.raises(BadSignature, match="another server"):
            Receipt(a_key(SERVER).public, accepted, signature, b"").verify()

    @a_few
    @given(st.data())
    def test_a_line_that_was_changed_anywhere_is_found(self, data: st.DataObject) -> None:
        line = A_RECEIPT.as_line()
        place = data.draw(st.integers(0, len(line) - 2))
        letter = data.draw(st.characters(codec="ascii", exclude_characters=line[place]))
        changed = line[:place] + letter + line[place + 1 :]

        try:
            receipt = Receipt.parse(changed)
            receipt.verify()
        except (ReceiptInvalid, BadSignature, KeyUnusable):
            return
        assert receipt.accepted == A_RECEIPT.accepted, "the server's word is as it was"

    @given(st.text(max_size=50) | st.just("{}") | st.just('{"round": 1e999}'))
    def test_what_is_none_is_told_so(self, line: str) -> None:
        with pytest.raises(ReceiptInvalid):
            Receipt.parse(line)
