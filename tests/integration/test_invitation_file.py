"""A server and a client that were handed what they need as files, as containers are."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import StartServer
from tests.support.api import Api
from tests.support.processes import Command


def test_a_client_comes_by_the_invitation_that_the_server_has_left(
    start_server: StartServer, tmp_path: Path
) -> None:
    home, left = tmp_path / "of the client", tmp_path / "left" / "invitation"
    home.mkdir()
    (tmp_path / "store-url").write_text(f"sqlite:///{tmp_path / 'by-file.db'}\n")
    store = {"FEDLOOM_STORE_FILE": str(tmp_path / "store-url")}
    server = start_server("--invitation-file", str(left), "--invitation-host", "localhost", env=store)

    client = Command(
        "run_client.py", "--client-id", "guest", home=home, env={"FEDLOOM_INVITE_FILE": str(left)}
    )
    try:
        client.wait_for_output("connected to the server at localhost:")
        with Api(server.url) as api:
            assert api.clients()["guest"]["ephemeral"]
            (made,) = api.get("/invitations")["invitations"]
    finally:
        client.end()

    assert (made["invitation"]["kind"], made["invitation"]["uses"]) == ("ephemeral", 1)
    assert (tmp_path / "by-file.db").exists()
