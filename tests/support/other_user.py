"""Another user of this machine, who tries what only the one who started the server may. Takes root.

`python -m tests.support.other_user ACTION ...` does something as that user:

run_client FLAGS   runs a client, with data that is in no file
read FILE          prints what is in a file, or ends with the reason why not
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

UID = 54_321
"""Of nobody in particular; the kernel does not mind."""

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 and os.environ.get("FEDLOOM_REQUIRE_ALL") != "1",
    reason="needs root, to act as another user",
)

BECOME = f"""
import encodings.idna, http.client, json, os, select, socket, stringprep, struct, sys, time
os.setgroups([]); os.setgid({UID}); os.setuid({UID})
"""
"""Before anything else; what is imported later may be out of that user's reach."""

ASK = """
port, method, path, headers, body = json.load(sys.stdin)
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
connection.request(method, path, body, headers)
answer = connection.getresponse()
headers = {name.lower(): value for name, value in answer.getheaders()}
json.dump([answer.status, headers, answer.read().decode()], sys.stdout)
"""


@dataclass(frozen=True)
class Answer:
    """What the other user got; names of headers in small letters."""

    status: int
    headers: dict[str, str]
    text: str


def as_other_user(script: str, stdin: str = "") -> str:
    """What a Python script of that user's prints; it has the standard library only."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BECOME + script],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask_as_other_user(
    port: int, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None
) -> Answer:
    """An HTTP request of that user's to this machine."""
    return Answer(*json.loads(as_other_user(ASK, json.dumps([port, method, path, headers or {}, body]))))


def main(action: str, *arguments: str) -> int | str:
    """Be that user. All that is needed is imported before, since they may not enter the folders it is in."""
    import torch._dynamo  # noqa: F401

    import client.built_in_app
    import client.main  # noqa: F401
    from client.cli import main as run_client

    os.setgroups([])
    os.setgid(UID)
    os.setuid(UID)
    if action == "run_client":
        return run_client(list(arguments))
    try:
        sys.stdout.write(Path(arguments[0]).read_text(encoding="utf-8"))
    except OSError as error:
        return str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
