"""`python -m client.doctor` beside real servers: what it says, and that nobody joins by it."""

from __future__ import annotations

from pathlib import Path

from shared.security.server_identity import local_invitation
from tests.conftest import StartCommand
from tests.support.api import Api
from tests.support.apps import APPS
from tests.support.processes import Command, ServerProcess

DOCTOR = "-m client.doctor"


def ended(doctor: Command) -> tuple[int, str]:
    return doctor.wait_for_exit(60), doctor.output


def test_beside_a_server_of_the_same_user_all_is_well_and_nobody_joins(
    session_server: ServerProcess, api: Api, start_command: StartCommand
) -> None:
    before = set(api.clients())
    flags = ("--client-id", "patient", "--server", session_server.link, "--dataset", "digits")

    code, said = ended(start_command(DOCTOR, *flags, env={"FEDLOOM_HOME": str(session_server.home)}))

    assert code == 0, said
    lines = [line.split() for line in said.splitlines()[:-1]]
    assert {line[0] for line in lines} == {"ok"}, said
    assert [line[1] for line in lines] == [
        *("python", "packages", "home", "key", "invitation", "policy", "app", "pytorch"),
        *("privacy", "data", "name", "port", "proxy", "tls", "protocol", "clock"),
    ]
    assert said.endswith(
        "This machine can join, if the server admits the client's key, which only joining shows.\n"
    )
    assert set(api.clients()) == before


def test_another_user_is_told_to_ask_for_an_invitation(
    session_server: ServerProcess, start_command: StartCommand
) -> None:
    code, said = ended(start_command(DOCTOR, "--server", session_server.link))

    assert code == 1
    assert "problem  invitation    None is given" in said
    assert "ok       tls           somebody answers with TLS" in said
    assert said.endswith("This machine cannot join: 1 problem, see above.\n")


def test_with_an_invitation_it_is_that_server_that_is_looked_at(
    session_server: ServerProcess, start_command: StartCommand
) -> None:
    invitation = local_invitation(session_server.home)
    proxies = {"https_proxy": "http://127.0.0.1:9", "FEDLOOM_INVITE": str(invitation)}

    code, said = ended(start_command(DOCTOR, "--server", "127.0.0.1:1", env=proxies))

    assert code == 0, said
    assert "https_proxy is set; 127.0.0.1 is reached without" in said
    assert invitation is not None
    assert invitation.token not in said


def test_one_that_was_here_before_needs_neither_address_nor_invitation(
    session_server: ServerProcess, api: Api, start_command: StartCommand, tmp_path: Path
) -> None:
    (tmp_path / "invitation.txt").write_text(f"{local_invitation(session_server.home)}\n")
    own = {"FEDLOOM_HOME": str(tmp_path / "home")}
    name = ("--client-id", "regular")
    given = (*name, "--invite-file", str(tmp_path / "invitation.txt"))

    code, said = ended(start_command(DOCTOR, *given, env=own))
    assert code == 0, said
    assert f"to the server at {session_server.link}" in said
    client = start_command("run_client.py", *given, env=own)
    api.wait_for_client("regular", "idle")
    client.end()

    code, said = ended(start_command(DOCTOR, *name, env=own))
    assert code == 0, said
    assert f"it has joined the server at {session_server.link} before" in said


def test_several_problems_are_all_named(start_command: StartCommand, tmp_path: Path) -> None:
    (tmp_path / "client.toml").write_text("minimum_cohort = 0\n")
    app = APPS / "no-such-app"

    code, said = ended(start_command(DOCTOR, "--invite", "fedloom://x", "--app", str(app)))

    assert code == 1
    for line in ("problem  invitation    ", "problem  policy        ", "problem  app           "):
        assert line in said
    assert "Traceback" not in said


def test_a_client_that_cannot_connect_says_who_knows_more(start_command: StartCommand) -> None:
    client = start_command("run_client.py", "--client-id", "a", "--server", "127.0.0.1:1")

    client.wait_for_output("no connection to 127.0.0.1:1: nothing listens there")
    client.wait_for_output("`python -m client.doctor` with the same flags says what this machine lacks")


def test_a_client_without_an_invitation_is_told_so_by_a_server_that_is_there(
    session_server: ServerProcess, start_command: StartCommand
) -> None:
    client = start_command("run_client.py", "--client-id", "a", "--server", session_server.link)

    client.wait_for_output("a server answers there, but this client has no invitation to it")


def test_a_running_server_is_known_by_its_ports(
    session_server: ServerProcess, start_command: StartCommand
) -> None:
    flags = ("--port", str(session_server.port), "--link-port", str(session_server.link_port))

    code, said = ended(start_command("-m app.doctor", *flags, env={"FEDLOOM_HOME": str(session_server.home)}))

    assert code == 0, said
    assert f"page port     {session_server.port} is in use by the server of this folder" in said
    assert f"link port     {session_server.link_port} is in use by the server of this folder" in said
