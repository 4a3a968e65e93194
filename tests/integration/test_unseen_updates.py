"""Nothing that a real server is sent, or keeps, is a client's update in a run with secure aggregation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flwr.app import ArrayRecord, Message

from app.demo.fleet import Fleet
from shared.models import build_model
from shared.npy import flat_view
from shared.results import TrainMetrics
from shared.secagg import model
from shared.secagg.packing import Learned, Packing
from shared.secagg.settings import SecureAggregation
from shared.security.receipts import Receipt
from shared.seeds import derive_seed
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.forked_server import ForkedServer
from tests.support.overheard import Overheard, messages_in
from tests.support.waiting import wait_until

TRIO = ("a", "b", "c")
SPEC: dict[str, Any] = {"num_rounds": 1, "min_clients": 3, "num_partitions": 3, "model": "linear", "seed": 3}
PLACES = 20
"""Of an update that are looked for."""
REPLIES = 6 + 1
"""Of each client to a round with secure aggregation, and the evaluation that follows."""


@dataclass(frozen=True)
class Watched:
    """A server, all that it is sent, and the folder of its clients."""

    server: ForkedServer
    overheard: Overheard
    clients: Path
    rest: Api

    def complete(self, **changes: Any) -> tuple[str, list[Json]]:
        """A run from beginning to end: its id and its rounds."""
        run_id: str = self.rest.start(**{**SPEC, **changes})["id"]
        self.rest.wait_for_run(run_id, "completed")
        for client_id in TRIO:
            self.rest.wait_for_client(client_id, "idle")
        return run_id, self.rest.rounds(run_id)

    def kept(self) -> list[bytes]:
        """All that is in the server's own folder."""
        return [file.read_bytes() for file in self.server.home.rglob("*") if file.is_file()]

    def receipts(self, client_id: str) -> list[Receipt]:
        """Those that a client has kept."""
        lines = (self.clients / "receipts" / f"{client_id}.jsonl").read_text(encoding="utf-8").splitlines()
        return list(map(Receipt.parse, lines))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    overheard = Overheard(folder / "heard")
    overheard.folder.mkdir()
    server = ForkedServer(folder / "home")
    server.start(overheard)
    with Fleet() as fleet, closing(Api(server.url)) as rest:
        Clients(fleet, server, folder, folder / "clients").start(*TRIO)
        for client_id in TRIO:
            rest.wait_for_client(client_id, "idle")
        yield Watched(server, overheard, folder / "clients", rest)
    server.end()


def pieces_of(before: ArrayRecord, reply: Message) -> list[bytes]:
    """What an update would be known by, at some places: its weights, its changes, and as these are packed."""
    after = reply.content["arrays"]
    assert isinstance(after, ArrayRecord)
    weights = np.concatenate([flat_view(array) for array in after.values()])
    change = model.change_of(before, after)
    learned = Learned(change, TrainMetrics.from_reply(reply).num_examples)
    packed = Packing(SecureAggregation(), len(TRIO)).pack(learned).values
    moved = [at for at in range(0, change.size - 4, 4) if np.all(change[at : at + 4])][:PLACES]
    assert len(moved) == PLACES
    pieces = []
    for place in (slice(at, at + 4) for at in moved):
        pieces += [weights[place].tobytes(), change[place].tobytes(), change[place].astype(float).tobytes()]
        first, second = (
            packed[at] + np.array([-1, 0, 1]).astype(packed.dtype) for at in (place.start, place.start + 1)
        )
        pieces += [np.array(pair).tobytes() for pair in product(first, second)]  # rounded by chance
    return pieces


def found_in(pieces: list[bytes], places: list[bytes]) -> int:
    return sum(any(piece in place for place in places) for piece in pieces)


def test_no_update_is_in_what_a_server_is_sent_nor_in_its_folder(watched: Watched) -> None:
    """The same run in the clear has them, so that they would be found."""
    _, secure = watched.complete(secure_aggregation={})
    heard, kept = watched.overheard.take(), watched.kept()
    _, plain = watched.complete(keep_updates=True)
    in_the_clear = watched.overheard.take()

    initial = build_model(SPEC["model"], "digits", derive_seed(SPEC["seed"], "model"))
    before = ArrayRecord(dict(initial.state_dict()))
    updates = [reply for reply in messages_in(in_the_clear) if "arrays" in reply.content]
    pieces = [piece for reply in updates for piece in pieces_of(before, reply)]
    assert (len(updates), len(heard)) == (3, 3 * REPLIES)
    assert secure[1]["loss"] == pytest.approx(plain[1]["loss"], abs=1e-3), "both have learned the same"
    assert found_in(pieces, in_the_clear) >= 3 * PLACES
    assert found_in(pieces, watched.kept()) >= 3 * PLACES
    assert found_in(pieces, heard) == found_in(pieces, kept) == 0


def test_each_reply_of_a_secure_run_has_its_receipt(watched: Watched) -> None:
    run_id, _ = watched.complete(secure_aggregation={})

    def of_run(client_id: str) -> list[Receipt]:
        return [
            each for each in watched.receipts(client_id) if each.accepted.update.run_id == int(run_id, 16)
        ]

    for client_id in TRIO:
        wait_until(lambda: len(of_run(client_id)) == REPLIES, "all receipts were kept")  # noqa: B023
        for receipt in of_run(client_id):
            receipt.verify()
    entries = watched.rest.get(f"/runs/{run_id}/verdicts")["verdicts"]
    assert {entry["verdict"] for entry in entries} == {"accepted"}
    assert {entry["receipt"] for entry in entries} == {
        receipt.signature.hex() for client_id in TRIO for receipt in of_run(client_id)
    }
