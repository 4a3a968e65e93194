"""Enrolment as people do it: commands at the server, a new folder at the client."""

from __future__ import annotations

import importlib
import io
import json
import re
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from app.audit.export import export
from app.audit.verify import entries_of, verify
from app.records import Member, MembershipState
from app.store.store import Store
from app.store.urls import default_url
from client.known_server import KnownServer
from shared.address import parse_address
from shared.security.invitation import Invitation
from shared.security.key_id import KeyId
from shared.security.server_identity import local_invitation
from tests.conftest import StartCommand, StartServer
from tests.support.api import Api, Json
from tests.support.forked_server import ForkedServer
from tests.support.processes import END_TIMEOUT_S, Command, ServerProcess
from tests.support.raw_link import RawClient
from tests.support.records import A_KEY
from tests.support.waiting import wait_until

Run = Callable[..., str]
Join = Callable[..., Command]


@pytest.fixture
def server(start_server: StartServer) -> ServerProcess:
    """A server of the test's own: who joins is remembered."""
    return start_server()


@pytest.fixture
def api(server: ServerProcess) -> Iterator[Api]:
    api = Api(server.url)
    yield api
    api.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Carries out a command in the server's folder: `run("app.invite", "--list")`; its stdout, or with `code`
    all that it said."""
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))

    def carry_out(module: str, *arguments: str, code: int = 0) -> str:
        capsys.readouterr()
        ended = importlib.import_module(module).main(arguments)
        said = capsys.readouterr()
        assert ended == code, said.err
        return said.out if code == 0 else said.out + said.err

    return carry_out


@pytest.fixture
def join(tmp_path: Path) -> Iterator[Join]:
    """Starts clients of other machines, as far as their folders go: `join("site", "--invite", …)`."""
    started: list[Command] = []

    def start(name: str, *flags: str) -> Command:
        home = tmp_path / "elsewhere" / name
        home.mkdir(parents=True, exist_ok=True)
        command = Command("run_client.py", "--client-id", name, "--dataset", "digits", *flags, home=home)
        started.append(command)
        return command

    yield start
    for command in started:
        command.end()


def a_member() -> Member:
    return Member(key=A_KEY, client_id="ghost", state=MembershipState.ADMITTED, since=1.0)


def invited(run: Run, *flags: str) -> str:
    """A new invitation."""
    return run("app.invite", *flags).strip()


def memory(tmp_path: Path, name: str) -> KnownServer | None:
    return KnownServer.load(tmp_path / "elsewhere" / name / "servers" / f"{name}.json")


def audited(home: Path, *kinds: str) -> list[Json]:
    """What the audit log of a server that does not run tells, if all of it is right."""
    file = home / "audit.jsonl"
    export(default_url(home), file)
    data = file.read_bytes()
    verify(io.BytesIO(data))
    return [{**entry.fields} for entry in entries_of(io.BytesIO(data)) if entry.kind in kinds]


def test_two_commands_and_a_site_trains(
    server: ServerProcess, api: Api, run: Run, join: Join, start_command: StartCommand
) -> None:
    command = start_command("-m app.invite")
    text = command.wait_for_output(r"fedloom://\S+")[0]

    client = join("hospital", "--invite", text)

    client.wait_for_output("connected to the server")
    run_id = api.start(num_rounds=1, min_clients=1, model="linear")["id"]
    api.wait_for_run(run_id, "completed")
    assert api.clients()["hospital"]["membership"] == "admitted"
    assert re.search(r"one-off +used-up +used 1 of 1", run("app.invite", "--list"))


def test_a_picture_a_file_and_the_next_start_without_either(
    server: ServerProcess, api: Api, run: Run, join: Join, tmp_path: Path
) -> None:
    picture, file = tmp_path / "q.png", tmp_path / "invitation.txt"
    shown = run("app.invite", "--picture", str(picture), "--qr", "--label", "St. Mary's")
    assert "█" in shown
    file.write_text(invited(run, "--kind", "reusable", "--limit", "2"))

    join("seen", "--invite-qr", str(picture)).wait_for_output("connected to the server")
    by_file = join("sent", "--invite-file", str(file))
    by_file.wait_for_output("connected to the server")
    by_file.end()
    api.wait_for_client("sent", "lost")
    again = join("sent")
    again.wait_for_output("where it has joined before")
    again.wait_for_output("connected to the server")

    listed = run("app.invite", "--list")
    assert re.search(r"used 1 of 1 +St\. Mary's", listed)
    assert re.search(r"reusable +open +used 1 of 2 +until", listed)


def test_who_has_no_secret_waits_until_a_command_approves_it(
    server: ServerProcess, api: Api, run: Run, join: Join
) -> None:
    client = join("stranger", "--invite", invited(run, "--kind", "approval"))
    key = client.wait_for_output(r"does not know the key (\S+) yet")[1]
    assert re.search(rf"stranger +pending +{key}", run("app.clients", "list"))

    said = run("app.clients", "approve", "stranger")

    assert f"Its key is {key}" in said
    client.wait_for_output("connected to the server")
    assert api.wait_for_client("stranger", "idle")["membership"] == "admitted"
    assert client.count("not admitted by") == 1, "a client that waits says so once"


def test_a_command_revokes_a_client_which_ends_and_re_admits_it(
    server: ServerProcess, api: Api, run: Run, join: Join
) -> None:
    client = join("site", "--invite", invited(run))
    client.wait_for_output("connected to the server")

    run("app.clients", "revoke", "site")

    assert client.wait_for_exit(END_TIMEOUT_S) == 1
    assert "has revoked the key" in client.output
    assert "Traceback" not in client.output
    assert join("site").wait_for_exit(60) == 1
    run("app.clients", "readmit", "site")
    join("site").wait_for_output("connected to the server")


def test_a_site_that_lost_its_disk_is_re_admitted_by_the_key_that_it_names(
    server: ServerProcess, api: Api, run: Run, join: Join, tmp_path: Path
) -> None:
    first = join("site", "--invite", invited(run))
    first.wait_for_output("connected to the server")
    first.end()
    (tmp_path / "elsewhere" / "site").rename(tmp_path / "burnt")

    anew = join("site", "--invite", invited(run))
    assert anew.wait_for_exit(60) == 1
    found = re.search(r"can re-admit 'site' with the key (\S+);", anew.output)
    assert found is not None
    assert "asks" in run("app.clients", "list")
    assert "No key AAAA-AAAA asks" in run("app.clients", "readmit", "site", "--key", "AAAA-AAAA", code=1)

    run("app.clients", "readmit", "site", "--key", found[1])

    join("site", "--invite", invited(run)).wait_for_output("connected to the server")


def test_ephemeral_clients_vanish_when_they_leave_and_come_again(
    server: ServerProcess, api: Api, run: Run, join: Join
) -> None:
    text = invited(run, "--kind", "ephemeral")
    names = ("worker-1", "worker-2")
    workers = [join(name, "--invite", text) for name in names]
    for worker, name in zip(workers, names, strict=True):
        worker.wait_for_output("connected to the server")
        assert api.clients()[name]["ephemeral"]

    workers[0].signal(signal.SIGTERM)

    wait_until(lambda: set(api.clients()) == {"worker-2"}, "worker-1 has vanished")
    assert "worker-1" not in run("app.clients", "list")
    join("worker-1").wait_for_output("connected to the server")


def test_commands_work_beside_a_server_and_without_one(
    server: ServerProcess, api: Api, run: Run, join: Join, tmp_path: Path
) -> None:
    kept = invited(run, "--label", "while it ran")
    server.end()
    assert not (tmp_path / "server").exists()

    made = Invitation.parse(invited(run, "--label", "while it did not", "--kind", "reusable"))

    listed = run("app.invite", "--list")
    assert "while it ran" in listed
    assert "while it did not" in listed
    assert made.key == Invitation.parse(kept).key
    invitation_id = re.search(r"(\w+) +one-off", listed)
    assert invitation_id is not None
    run("app.invite", "--revoke", invitation_id[1])
    assert re.search(rf"{invitation_id[1]} +one-off +revoked", run("app.invite", "--list"))
    assert "No server runs here" in run("app.clients", "approve", "a", code=1)
    by = "a command, while no server ran"
    told = audited(tmp_path, "invitation-made", "invitation-revoked")
    assert [(entry["by"] == by, entry["label"]) for entry in told] == [
        (False, "while it ran"),
        (True, "while it did not"),
        (True, "while it ran"),
    ]


def test_servers_of_one_folder_that_are_started_at_the_same_moment_invite_by_one_secret(
    tmp_path: Path,
) -> None:
    """Each with a store of its own. Whichever has left the invitation, all of them take it."""
    home = tmp_path / "home"
    servers = [ForkedServer(home, store=f"sqlite:///{tmp_path}/{number}.db") for number in range(3)]
    try:
        with ThreadPoolExecutor(len(servers)) as starting:
            list(starting.map(ForkedServer.start, servers))
        invitation = local_invitation(home)
        assert invitation is not None
        for server in servers:
            text = str(replace(invitation, address=parse_address(server.link)))
            (home / "invitation").write_text(f"{text}\n")
            with RawClient(home) as link:
                assert link.hello("a").WhichOneof("kind") == "welcome"
    finally:
        for server in servers:
            server.end()


def test_what_a_killed_server_has_left_misleads_nobody(
    server: ServerProcess, run: Run, tmp_path: Path
) -> None:
    server.process.kill()
    server.process.wait()
    assert (tmp_path / "server").exists()

    assert Invitation.parse(invited(run))


def test_while_another_server_has_the_store_a_command_says_so(
    server: ServerProcess, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "server").unlink()

    assert "Another FedLoom server" in run("app.invite", code=1)


def test_the_file_by_which_commands_find_the_server_is_its_users_alone(
    server: ServerProcess, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "server"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o666)

    assert "it may be read or written by other users" in run("app.invite", code=1)


IMPOSSIBLE = {
    "a limit of uses is for reusable and ephemeral invitations": ("--limit", "3"),
    "is not kept, and so has no label": ("--kind", "approval", "--label", "x"),
    "greater than or equal to 1": ("--kind", "reusable", "--limit", "0"),
    "nobody can connect to '0.0.0.0'": ("--host", "0.0.0.0"),
    "is not a name or address of a machine": ("--host", "a b"),
    "There is no invitation '../x'": ("--revoke", "../x"),
}


def test_what_cannot_be_is_said(server: ServerProcess, run: Run) -> None:
    for complaint, flags in IMPOSSIBLE.items():
        assert complaint in run("app.invite", *flags, code=1)
    server.end()
    for complaint, flags in IMPOSSIBLE.items():
        assert complaint in run("app.invite", *flags, code=1), "without the server as well"


def test_the_servers_key_changes_and_those_who_heard_of_it_stay(
    start_server: StartServer, run: Run, join: Join, tmp_path: Path
) -> None:
    server = start_server()
    api = Api(server.url)
    present, away = (join(name, "--invite", invited(run)) for name in ("present", "away"))
    for client in (present, away):
        client.wait_for_output("connected to the server")
    away.end()
    api.wait_for_client("away", "lost")
    api.close()

    next_key = re.search(r"next key is (\S+)\.", run("app.next_key"))
    assert next_key is not None
    present.wait_for_output(f"will have another key: {next_key[1]}")
    run("app.next_key", "--switch")
    server.end()
    again = start_server(port=server.port, link_port=server.link_port)

    present.wait_for_output(re.compile(r"connected to the server.*connected to the server", re.DOTALL))
    known = memory(tmp_path, "present")
    assert known is not None
    assert (known.key.short, known.following) == (next_key[1], None)
    late = join("away")
    late.wait_for_output("it needs a new invitation")
    late.end()
    join("away", "--invite", invited(run)).wait_for_output("connected to the server")
    again.end()
    announced, changed = audited(tmp_path, "next-key-announced", "key-changed")
    assert KeyId.parse(announced["key"]).short == next_key[1]
    assert announced["by"] == "somebody with the server's key"
    assert changed["key"] == announced["key"] != changed["before"]


def test_the_api_makes_an_invitation_for_another_machine(server: ServerProcess, api: Api) -> None:
    response = api.http.post(
        "/api/v1/invitations", json={"kind": "reusable", "host": "lab.example.org", "max_uses": 3}
    )

    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    made: Json = response.json()
    invitation = Invitation.parse(made["text"])
    assert str(invitation.address) == f"lab.example.org:{server.link_port}"
    assert made["command"].startswith(
        "python run_client.py --client-id NAME --dataset digits --invite 'fedloom://"
    )
    assert made["qr"].startswith("<?xml")
    assert invitation.token not in json.dumps(api.get("/invitations"))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/clients/nobody/approve", {"key": "AAAA"}, 422),
        ("/clients/nobody/approve", {}, 422),
        ("/clients/nobody/revoke", {}, 404),
        ("/clients/nobody/readmit", {}, 404),
        ("/invitations/nobody/revoke", {}, 404),
        ("/invitations", {"kind": "eternal"}, 422),
        ("/invitations", {"expires_s": 0}, 422),
        ("/invitations", {"label": "two\nlines"}, 422),
        ("/invitations", {"host": "[", "kind": "approval"}, 422),
    ],
)
def test_what_the_api_cannot_do_is_a_problem(
    session_server: ServerProcess, path: str, body: Json, status: int
) -> None:
    api = Api(session_server.url)
    response = api.http.post(f"/api/v1{path}", json=body)
    api.close()

    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"


def test_members_of_whom_nothing_else_was_kept_are_listed_all_the_same(
    start_server: StartServer, run: Run, tmp_path: Path
) -> None:
    """As after a crash between the moment in which a client was kept as a member, and the next one."""
    server = start_server()
    server.end()
    with Store.open(default_url(tmp_path)) as store:
        store.enrolment.put(a_member())
    server = start_server()

    assert re.search(r"ghost +lost", run("app.clients", "list"))
    run("app.clients", "revoke", "ghost")
    assert re.search(r"ghost +revoked", run("app.clients", "list"))
