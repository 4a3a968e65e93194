"""A server that was restored from a backup, with clients whose folders lie elsewhere and know more."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from app.demo.fleet import Fleet
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.backups import backup, restore, write_passphrase
from tests.support.forked_server import ForkedServer
from tests.support.ports import free_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.timeout(600)

ENDS_S = 60.0
PAIR = ("a", "b")
SPEC = {"num_rounds": 3, "min_clients": 2, "num_partitions": 2, "model": "linear"}


def run_to_the_end(api: Api) -> None:
    api.wait_for_run(api.start(**SPEC)["id"], "completed")


def objection_of(fleet: Fleet, site: Path, client_id: str) -> str:
    """What a client objects to that has ended by itself for it."""
    fleet.clients[client_id].join(ENDS_S)
    assert fleet.clients[client_id].exitcode == 1
    return str(json.loads((site / "witness" / f"{client_id}.objection.json").read_text())["objection"])


def wait_until_both_have_seen_more_than(api: Api, size: int) -> None:
    def have_they() -> bool:
        witnesses = api.get("/audit/checkpoint")["witnesses"]
        return len(witnesses) == 2 and all(each["size"] > size for each in witnesses)

    wait_until(have_they, f"both have seen more than {size} entries of the log", ENDS_S)


def test_sites_elsewhere_stop_until_they_have_agreed_and_who_was_revoked_is_in_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEDLOOM_STORE", raising=False)
    home, elsewhere, sites = (tmp_path / name for name in ("home", "elsewhere", "sites"))
    file, passphrase = (
        tmp_path / "backup",
        write_passphrase(tmp_path / "passphrase", "some words that nobody guesses"),
    )
    ports = {"port": free_port(), "link_port": free_port()}
    server = ForkedServer(home, **ports)
    server.start()
    with Fleet() as fleet, closing(Api(server.url)) as api:
        Clients(fleet, server, tmp_path, sites).start(*PAIR)
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        run_to_the_end(api)
        monkeypatch.setenv("FEDLOOM_HOME", str(home))
        assert backup(file, passphrase) == 0
        kept = api.get("/audit/checkpoint")["size"]
        run_to_the_end(api)
        wait_until_both_have_seen_more_than(api, kept)
        assert api.http.post("/api/v1/clients/b/revoke").is_success
        fleet.clients["b"].join(ENDS_S)
        server.kill()

        assert restore(file, elsewhere, passphrase) == 0
        restored = ForkedServer(elsewhere, **ports)
        restored.start()
        clients = Clients(fleet, restored, tmp_path, sites)
        assert "it was cut to" in objection_of(fleet, sites, "a"), "it was there when the server came back"
        clients.start(*PAIR)  # b, too, whose revocation is not in the backup
        for client_id in PAIR:
            assert "it was cut to" in objection_of(fleet, sites, client_id)

        for client_id in PAIR:  # as docs/audit.md says, once the sites have agreed
            (sites / "witness" / f"{client_id}.objection.json").unlink()
            (sites / "witness" / f"{client_id}.json").unlink()
        clients.start(*PAIR)
        for client_id in PAIR:
            api.wait_for_client(client_id, "idle")
        run_to_the_end(api)
    restored.end()
