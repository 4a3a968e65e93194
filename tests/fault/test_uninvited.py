"""Those who were not invited, or no longer are: refused with what to do, counted, and in nobody's way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.enrolment.guesses import MOST
from app.enrolment.waiting import MOST_OF_ADDRESS
from app.store.reader import StoreReader
from app.store.urls import default_url
from shared.proto.link_pb2 import LogLine
from shared.security.certificate import WrongServer, reach
from shared.security.invitation import Invitation
from shared.security.keys import KeyPair
from shared.security.server_identity import local_invitation
from tests.conftest import Clients
from tests.fault.conftest import completed_round, said_since
from tests.support.answers import serve
from tests.support.api import Api, Json
from tests.support.forked_server import Death, ForkedServer
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until


def invite(api: Api, **wish: object) -> tuple[str, Invitation]:
    """A new invitation: its id, and what is handed out."""
    response = api.http.post("/api/v1/invitations", json={"host": "127.0.0.1", **wish})
    assert response.status_code == 201, response.text
    made: Json = response.json()
    return made["invitation"]["id"], Invitation.parse(made["text"])


def decide(api: Api, client_id: str, what: str, **body: object) -> Json:
    """What an administrator decides, which must be taken; the client as it is then."""
    response = api.http.post(f"/api/v1/clients/{client_id}/{what}", json=body)
    assert response.status_code == 200, response.text
    client: Json = response.json()
    return client


def knock(home: Path, name: str, token: str, key: KeyPair) -> tuple[str, bool | None]:
    """What the server answers somebody: in words, and whether that is final; "" and None for a welcome."""
    with RawClient(home) as link:
        answer = link.hello(name, token=token, key=key)
        if answer.WhichOneof("kind") == "welcome":
            return "", None
        return answer.refusal.reason, answer.refusal.final


def refused(api: Api) -> dict[str, int]:
    counts: dict[str, int] = api.get("/status")["refused"]
    return counts


def require_entered(api: Api, name: str, said: str) -> None:
    """The audit log tells that somebody of this name was refused, with these words."""

    def is_entered() -> bool:
        entries = api.get("/audit/entries", limit=200)["entries"]
        return any(
            entry["kind"] == "client-refused"
            and (entry["fields"]["client"], entry["fields"]["reason"]) == (name, said)
            for entry in entries
        )

    wait_until(is_entered, "it is in the audit log")


@pytest.fixture(scope="module")
def keys() -> list[KeyPair]:
    """Of somebody who has several."""
    return [KeyPair.make() for _ in range(4)]


@pytest.fixture
def home(lasting_server: ForkedServer) -> Path:
    return lasting_server.home


Own = tuple[ForkedServer, Api]


@pytest.fixture
def own(server: ForkedServer) -> Iterator[Own]:
    """A server of the test's own, to which nobody else comes."""
    server.start()
    api = Api(server.url)
    yield server, api
    api.close()


# invitations that are none, or no longer


def test_a_one_off_invitation_is_used_once(api: Api, home: Path, keys: list[KeyPair]) -> None:
    invitation_id, invitation = invite(api)
    before = refused(api).get("token-used-up", 0)

    assert knock(home, "first", invitation.token, keys[0]) == ("", None)
    said, final = knock(home, "second", invitation.token, keys[1])

    assert "was used already" in said
    assert "Ask whoever runs the server for a new one" in said
    assert final
    assert refused(api)["token-used-up"] == before + 1
    assert "second" not in api.clients()
    assert knock(home, "first", "", keys[0]) == ("", None), "who has joined needs it no more"
    (listed,) = [
        each for each in api.get("/invitations")["invitations"] if each["invitation"]["id"] == invitation_id
    ]
    assert (listed["state"], listed["invitation"]["uses"]) == ("used-up", 1)


def test_an_expired_invitation_lets_nobody_in(api: Api, home: Path, keys: list[KeyPair]) -> None:
    before = refused(api).get("token-expired", 0)
    _, invitation = invite(api, kind="reusable", expires_s=1)
    expired = time.time() + 1
    wait_until(lambda: time.time() > expired, "a second has passed")

    said, final = knock(home, "tardy", invitation.token, keys[1])

    assert (said.startswith("This invitation has expired."), final) == (True, True)
    assert refused(api)["token-expired"] == before + 1
    require_entered(api, "tardy", said)


def test_a_revoked_invitation_lets_nobody_in(api: Api, home: Path, keys: list[KeyPair]) -> None:
    before = refused(api).get("token-revoked", 0)
    invitation_id, invitation = invite(api, kind="reusable")
    assert api.http.post(f"/api/v1/invitations/{invitation_id}/revoke").json()["state"] == "revoked"

    said, final = knock(home, "tardy", invitation.token, keys[1])

    assert (said.startswith("This invitation was revoked."), final) == (True, True)
    assert refused(api)["token-revoked"] == before + 1
    require_entered(api, "tardy", said)


def test_the_invitation_of_another_server_is_of_no_use(
    api: Api, home: Path, keys: list[KeyPair], own: Own
) -> None:
    before = refused(api).get("token-wrong", 0)
    _, foreign = invite(own[1], kind="reusable")
    here = local_invitation(home)
    assert here is not None

    said, final = knock(home, "stray", foreign.token, keys[1])
    assert ("has not made this invitation" in said, final) == (True, True)
    assert refused(api)["token-wrong"] == before + 1
    require_entered(api, "stray", said)
    with pytest.raises(WrongServer, match=r"another key than the one in the invitation"):
        reach(here.address, [foreign.key], 5.0)


def test_guesses_are_counted_and_after_some_nobody_looks_at_them(own: Own, keys: list[KeyPair]) -> None:
    server, api = own
    _, invitation = invite(api, kind="reusable")
    for number in range(MOST):
        said, _ = knock(server.home, "guesser", f"guess-{number:032}", keys[1])
        assert "has not made this invitation" in said

    said, final = knock(server.home, "guesser", invitation.token, keys[1])

    assert ("was not looked at" in said, final) == (True, False)
    assert refused(api) == {"token-wrong": MOST, "too-many-tries": 1, "link-hello": MOST}
    with RawClient(server.home) as link:
        assert link.hello("local").WhichOneof("kind") == "welcome", "the user's own clients still come in"


# names and keys


def test_a_stolen_name_with_another_key_is_refused_and_its_owner_works_on(
    api: Api, home: Path, clients: Clients, keys: list[KeyPair]
) -> None:
    clients.start("victim")
    api.wait_for_client("victim", "idle")
    key = api.clients()["victim"]["key"]
    _, invitation = invite(api, kind="reusable")
    before = refused(api).get("other-key", 0)

    said, final = knock(home, "victim", invitation.token, keys[2])

    assert ("belongs to a client with another key" in said, final) == (True, True)
    assert refused(api)["other-key"] == before + 1
    require_entered(api, "victim", said)
    victim = api.clients()["victim"]
    assert (victim["state"], victim["key"], victim["membership"]) == ("idle", key, "admitted")
    assert victim["waiting_keys"] == [str(keys[2].public.id)], "an administrator sees who asked"
    run = api.start(num_rounds=1, min_clients=1)
    api.wait_for_run(run["id"], "completed")


def test_a_client_that_lost_its_disk_is_re_admitted_with_its_new_key(
    api: Api, home: Path, keys: list[KeyPair]
) -> None:
    _, invitation = invite(api)
    assert knock(home, "burnt", invitation.token, keys[2]) == ("", None)
    new = KeyPair.make()
    knock(home, "burnt", "", new)

    client = decide(api, "burnt", "readmit", key=str(new.public.id))

    assert (client["key"], client["membership"], client["waiting_keys"]) == (
        str(new.public.id),
        "admitted",
        [],
    )
    assert knock(home, "burnt", "", new) == ("", None)
    said, final = knock(home, "burnt", "", keys[2])
    assert ("has revoked the key" in said, final) == (True, True)


# those who wait


def test_a_flood_of_strangers_does_not_fill_the_list_nor_the_store(own: Own) -> None:
    server, api = own

    answers = [knock(server.home, f"flood-{number}", "", KeyPair.make()) for number in range(30)]

    waiting = [name for name, client in api.clients().items() if client["membership"] == "pending"]
    assert len(waiting) == MOST_OF_ADDRESS
    assert api.get("/status")["clients"] == {"connected": 0, "lost": 0, "pending": MOST_OF_ADDRESS}
    assert sum("too many wait" in said for said, _ in answers) == 30 - MOST_OF_ADDRESS
    assert not any(final for _, final in answers)
    _, invitation = invite(api)
    assert knock(server.home, "honest", invitation.token, KeyPair.make()) == ("", None)
    api.wait_for_client("honest", "lost")
    server.end()
    with StoreReader.open_to_read(default_url(server.home)) as kept:
        assert [client.id for client in kept.clients()] == ["honest"]
        assert {event.subject for event in kept.events(1000)} == {"honest"}


# in the middle of a run


def test_a_client_that_is_revoked_in_mid_run_is_cut_off_at_once_and_the_run_goes_on(
    api: Api, clients: Clients, home: Path
) -> None:
    clients.start("doomed")
    with RawClient(home) as patient:
        patient.hello("patient")
        api.wait_for_client("doomed", "idle")
        run_id = api.start(num_rounds=1, min_clients=2, num_partitions=2, model="linear", local_epochs=1_000)[
            "id"
        ]
        api.wait_for_client("doomed", "training")
        before = api.get("/status")["seq"]

        client = decide(api, "doomed", "revoke")

        assert (client["membership"], client["state"]) == ("revoked", "lost")
        assert api.run(run_id)["state"] == "running"
        assert [serve(patient), serve(patient)] == ["train", "evaluate"]
        round_ = completed_round(api, run_id)
    assert round_["clients"] == 1
    part = round_["per_client"]["doomed"]
    assert (part["error"], part["verdict"]) == ("doomed was cut off: its key was revoked", "revoked")
    assert api.clients()["doomed"]["verdicts"] == {"revoked": 1}
    assert round_["per_client"]["patient"]["error"] is None
    assert any(line.startswith("doomed is cut off") for line in said_since(api, before))


def test_what_a_revoked_client_still_says_counts_for_nothing(api: Api, home: Path) -> None:
    with RawClient(home) as deaf:
        deaf.hello("deaf")
        api.wait_for_client("deaf", "idle")
        before = api.get("/status")["seq"]

        decide(api, "deaf", "revoke")
        deaf.send(log=LogLine(level="error", message="I am still here"))

        last = deaf.read_kind("refusal").refusal
        assert last.final
        assert "has revoked the key" in last.reason
        deaf.ending()
    assert [entry for entry in api.logs(source="deaf") if entry["seq"] > before] == []
    with RawClient(home) as again:
        assert again.hello("deaf").WhichOneof("kind") == "refusal"
    decide(api, "deaf", "readmit")
    with RawClient(home) as again:
        assert again.hello("deaf").WhichOneof("kind") == "welcome"


# when the power goes


def test_a_one_off_invitation_is_not_good_again_after_a_crash_in_the_middle_of_its_use(
    server: ForkedServer, keys: list[KeyPair], ending: ExitStack
) -> None:
    server.start(Death("app.store.enrolment:EnrolmentStore.join", after=True))
    api = Api(server.url)
    _, invitation = invite(api)
    api.close()
    with RawClient(server.home) as link, pytest.raises(Exception):  # noqa: B017, PT011 - gRPC has several
        link.hello("first", token=invitation.token, key=keys[0])
    server.wait_until_dead()

    server.start()

    said, _ = knock(server.home, "second", invitation.token, keys[1])
    assert "was used already" in said
    assert knock(server.home, "first", invitation.token, keys[0]) == ("", None), "it has joined"
