"""Every command of docs/users.md does what the document says, in its order."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import app.settings
from tests.support.documents import commands
from tests.support.processes import ROOT, ServerProcess
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
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FEDLOOM_HOME": str(tmp_path)}
    token, id_ = "", ""
    server = ServerProcess("--auth", home=tmp_path)
    try:
        for command in COMMANDS:
            words = shlex.split(command.replace("$TOKEN", token).replace("ID", id_))
            match words:
                case ["python", "run_server.py", *_]:
                    continue
                case ["python", *flags]:
                    words = [sys.executable, *flags]
                case ["curl", *flags]:
                    words = [curl, "--silent", "--fail", *flags]
                    words[-1] = words[-1].replace("localhost:5000", f"127.0.0.1:{server.port}")
            if words[-2:-1] == ["revoke"]:
                continue  # below: the program needs it first
            done = subprocess.run(
                words,
                input="correct horse battery\n",
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
            if "token add" in command:
                token = done.stdout.strip()
            if "token list" in command:
                id_ = done.stdout.splitlines()[1].split()[0]
            if "app.users list" in command:
                assert done.stdout.split()[2:] == ["ada", "admin", "otto", "operator"]
            if words[0] == curl:
                assert '"version"' in done.stdout
        [revoke] = [line for line in COMMANDS if "revoke" in line]
        words = shlex.split(revoke.replace("ID", id_))
        revoked = subprocess.run(
            [sys.executable, *words[1:]], env=environment, check=True, capture_output=True
        )
        assert revoked.stdout.decode() == f"The token {id_} lets nobody in any more.\n"
    finally:
        server.end()
