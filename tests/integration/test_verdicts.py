"""What real clients and a real server sign for each other, in REST and in the receipts of the clients."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Any

import pytest

from app.demo.fleet import Fleet
from shared.flower_app import read_app
from shared.security.digest import Digests
from shared.security.key_id import KeyId
from shared.security.keys import BadSignature, KeyPair
from shared.security.receipts import Receipt
from shared.security.seals import Update
from shared.security.server_identity import KEYS
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.apps import APPS
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

PAIR = ("client-1", "client-2")


class Run:
    """A run of two rounds with two clients, which is over."""

    def __init__(self, server: ServerProcess, api: Api, rounds: list[Json]) -> None:
        self.home = server.home
        self.api = api
        self.id: str = api.get("/runs")["runs"][0]["id"]
        self.rounds = rounds

    def verdicts(self, **wanted: Any) -> list[Json]:
        found: list[Json] = self.api.get(f"/runs/{self.id}/verdicts", **wanted)["verdicts"]
        return found

    def key(self, *names: str) -> KeyPair:
        return KeyPair.load_or_make(self.home.joinpath(KEYS, *names))

    def receipts(self, client_id: str) -> list[Receipt]:
        path = self.home / "receipts" / f"{client_id}.jsonl"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return [Receipt.parse(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module", params=["the built-in app", "another app"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = APPS / "quickstart-numpy"
    is_other = request.param == "another app"
    flags = ("--app", str(folder)) if is_other else ("--dataset", "digits", "--model", "linear")
    home = tmp_path_factory.mktemp("server")
    server = ServerProcess("--num-rounds", "2", *flags, home=home)
    api = Api(server.url)
    with Fleet() as fleet:
        clients = Clients(fleet, server, home)
        settings: dict[str, Any] = {"app": read_app(folder)} if is_other else {}
        clients.start(*PAIR, **settings)
        run_id = api.get("/runs")["runs"][0]["id"]
        api.wait_for_run(run_id, "completed")
        run = Run(server, api, api.rounds(run_id))
        wait_until(lambda: len(run.verdicts()) == 8, "all replies were judged")
        wait_until(lambda: all(len(run.receipts(name)) == 4 for name in PAIR), "all receipts were kept")
        yield run
    api.close()
    server.end()


def test_every_reply_is_accepted_and_both_ends_can_prove_it(run: Run) -> None:
    verdicts = run.verdicts()
    assert {entry["verdict"] for entry in verdicts} == {"accepted"}
    assert all(part["verdict"] == "accepted" for part in run.rounds[-1]["per_client"].values())
    assert {name: client["verdicts"] for name, client in run.api.clients().items()} == {
        name: {"accepted": 4} for name in PAIR
    }

    of_server = {entry["receipt"] for entry in verdicts}
    for client_id in PAIR:
        key = run.key("clients", f"{client_id}.pem").public
        for entry in run.verdicts(client=client_id):
            key.verify(bytes.fromhex(entry["signature"]), update_of(run, entry).statement())
        for receipt in run.receipts(client_id):
            receipt.verify()
            assert receipt.server == run.key("server.pem").public
            assert receipt.signature.hex() in of_server
            key.verify(receipt.update_signature, receipt.accepted.update.statement())


def test_they_are_asked_for_by_client_and_verdict_page_by_page(run: Run) -> None:
    everything = run.verdicts()
    assert run.verdicts(verdict="accepted", client="client-2") == [
        entry for entry in everything if entry["client_id"] == "client-2"
    ]
    assert run.verdicts(verdict="late") == []
    newest = run.verdicts(limit=3)
    assert newest == everything[-3:]
    assert run.verdicts(limit=3, before=newest[0]["seq"]) == everything[-6:-3]

    for path, status in {
        "/runs/none/verdicts": 404,
        f"/runs/{run.id}/verdicts?verdict=good": 422,
        f"/runs/{run.id}/verdicts?before={2**63}": 422,
        f"/runs/{run.id}/verdicts?limit=0": 422,
    }.items():
        assert run.api.http.get(f"/api/v1{path}").status_code == status


def test_both_clients_of_a_round_began_with_the_same_model_and_the_next_round_with_another(run: Run) -> None:
    trained = [entry for entry in run.verdicts() if entry["kind"] == "train"]
    by_round = {number: {e["base_digest"] for e in trained if e["round"] == number} for number in (1, 2)}

    assert [len(models) for models in by_round.values()] == [1, 1]
    assert by_round[1] != by_round[2]


def test_a_record_that_was_changed_is_not_what_the_client_has_signed(run: Run) -> None:
    entry = run.verdicts(client="client-1")[0]
    key = run.key("clients", "client-1.pem").public
    changes: list[Json] = [
        {"round": entry["round"] + 1},
        {"run_id": "00000001"},
        {"sequence": entry["sequence"] + 1},
        {"arrays_digest": "00" * 32},
        {"base_digest": "00" * 32},
        {"message_id": "another"},
        {"client_id": "client-2"},
    ]

    for change in changes:
        with pytest.raises(BadSignature):
            key.verify(bytes.fromhex(entry["signature"]), update_of(run, {**entry, **change}).statement())


def update_of(run: Run, entry: Json) -> Update:
    """What a client has signed, from what the server has published of it and nothing else."""
    return Update(
        server=run.key("server.pem").public.id,
        run_id=int(entry["run_id"], 16),
        round=entry["round"] or 0,
        message_id=entry["message_id"],
        client_id=entry["client_id"],
        client=KeyId.parse(entry["key"]),
        sequence=entry["sequence"],
        digests=Digests(bytes.fromhex(entry["skeleton_digest"]), bytes.fromhex(entry["arrays_digest"])),
        base=bytes.fromhex(entry["base_digest"]),
    )
