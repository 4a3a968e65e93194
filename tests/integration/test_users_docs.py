"""Every command of docs/users.md does what the document says, in its order."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import app.settings
from tests.support.documents import commands
from tests.support.processes import ServerProcess, run_command
from tests.support.tools import require

COMMANDS = commands("docs/users.md")


def test_every_command_is_run_here_or_parsed() -> None:
    programs = {" ".join(shlex.split(command)[:3]) for command in COMMANDS}

    assert programs == {
        "python run_server.py --host",
        "python -m app.users",
        "curl -H Authorization: Bearer $TOKEN",
    }


def test_commands_that_start_a_server_are_understood() -> None:
    [own, given] = [app.settings.parse(shlex.split(line)[2:]) for line in COMMANDS if "run_server.py" in line]

    assert (own.host, own.tls, own.tls_cert) == ("0.0.0.0", True, None)
    assert (given.tls, given.tls_cert, given.tls_key) == (True, Path("page.crt"), Path("page.key"))


def test_users_and_tokens_are_made_as_the_document_says(tmp_path: Path) -> None:
    curl = require("curl", why="a program sends its token with it")
    token, id_ = "", ""
    server = ServerProcess("--auth", home=tmp_path)

    def done(command: str) -> subprocess.CompletedProcess[str]:
        match shlex.split(command):
            case ["curl", *flags, url]:
                here = url.replace("localhost:5000", f"127.0.0.1:{server.port}")
                words = [curl, "--silent", "--fail", *flags, here]
                done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
            case words:
                typed = "correct horse battery\n"
                done = run_command(" ".join(words[1:3]), *words[3:], home=tmp_path, typed=typed)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done

    try:
        for line in COMMANDS:
            if "run_server.py" in line or "revoke" in line:  # the program needs its token first
                continue
            said = done(line.replace("$TOKEN", token).replace("ID", id_)).stdout
            if "token add" in line:
                token = said.strip()
            if "token list" in line:
                id_ = said.splitlines()[1].split()[0]
            if "app.users list" in line:
                assert said.split()[2:] == ["ada", "admin", "otto", "operator"]
            if line.startswith("curl"):
                assert '"version"' in said
        [revoke] = [line for line in COMMANDS if "revoke" in line]
        assert done(revoke.replace("ID", id_)).stdout == f"The token {id_} lets nobody in any more.\n"
    finally:
        server.end()
