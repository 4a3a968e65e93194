"""The files of containers/: that they fit together, and that hadolint finds nothing in the Dockerfiles."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.settings import parse as parse_server
from client.cli import parse as parse_client
from tests.support.compose import compose_of_docker
from tests.support.processes import ROOT
from tests.support.tools import require

CONTAINERS = ROOT / "containers"
COMPOSE_FILES = sorted(CONTAINERS.glob("docker-compose*.yml"))
DOCKERFILES = sorted(CONTAINERS.glob("Dockerfile.*"))
SCRIPTS = [*sorted(CONTAINERS.glob("*.sh")), ROOT / "tests" / "containers" / "images" / "entrypoint.sh"]
SHARED_UP_TO = "# ---"


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_hadolint_finds_nothing(file: Path) -> None:
    hadolint = require("hadolint", why="it checks the Dockerfiles")

    done = subprocess.run([hadolint, str(file)], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_has_no_objection(script: Path) -> None:
    shellcheck = require("shellcheck", why="it reads the shell scripts")

    done = subprocess.run([shellcheck, str(script)], capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_both_images_share_their_layers_with_python_and_the_packages() -> None:
    """They do only where all that comes before is the same."""
    server, client = (
        re.sub(r"\A(#.*\n)+", "", (CONTAINERS / f"Dockerfile.{name}").read_text()).split(SHARED_UP_TO)
        for name in ("server", "client")
    )

    assert server[0] == client[0]
    assert len(server) == len(client) == 2


def test_every_setting_is_explained_with_its_default_and_no_other() -> None:
    used: dict[str, set[str]] = {}
    for file in COMPOSE_FILES:
        for name, default in re.findall(r"\$\{(\w+):?-([^}]*)\}", file.read_text()):
            used.setdefault(name, set()).add(default)
        assert "${" not in re.sub(r"\$\{\w+:?-[^}]*\}", "", file.read_text()), "a setting without a default"
    explained = re.findall(r"^#(FEDLOOM_\w+)=(.*)$", (CONTAINERS / ".env.example").read_text(), re.MULTILINE)

    assert {name: {default} for name, default in explained} == used


FULL = {"client", "dashboard", "nginx", "postgres", "redis", "secrets", "server"}
STARTED = {
    "full": FULL,
    "small": {"small-client", "small-nginx", "small-server"},
    "mesh": {*FULL, "mesh-client"},
}


@pytest.mark.parametrize("overlays", [(), ("gpu",), ("https",), ("gpu", "https")], ids="+".join)
@pytest.mark.parametrize("profile", STARTED)
def test_docker_compose_takes_each_profile_with_each_further_file(
    profile: str, overlays: tuple[str, ...]
) -> None:
    started = services(profile, overlays)

    assert started.keys() == STARTED[profile]
    resources = {name: each.get("deploy", {}).get("resources", {}) for name, each in started.items()}
    assert {name for name in started if "pids" in resources[name].get("limits", {})} == started.keys() - {
        "secrets"
    }
    gpus = {name for name in started if "reservations" in resources[name]}
    assert gpus == ({name for name in started if name.endswith("client")} if "gpu" in overlays else set())
    published = sorted(port["published"] for each in started.values() for port in each.get("ports", []))
    assert published == [*(["443"] if "https" in overlays else []), "5050", "80"], "each port once"


def test_what_is_started_without_a_profile_is_all_but_the_mesh() -> None:
    example = CONTAINERS / ".env.example"
    assert services("", env_file=example).keys() == FULL
    assert services("small", env_file=example).keys() == STARTED["small"]


def services(
    profile: str, overlays: tuple[str, ...] = (), env_file: Path = Path(os.devnull)
) -> dict[str, Any]:
    """What Docker Compose starts, with `docker-compose.NAME.yml` for each overlay, by name."""
    files = ["docker-compose.yml", *(f"docker-compose.{name}.yml" for name in overlays)]
    flags = [f"--env-file={env_file}", *(f"--file={file}" for file in files)]
    flags += ["--profile", profile] if profile else []
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
    command = [*compose_of_docker(), *flags, "config", "--format=json"]
    done = subprocess.run(command, cwd=CONTAINERS, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_containers_reach_each_other_without_the_proxy_that_may_be_passed_on_to_them() -> None:
    text = (CONTAINERS / "docker-compose.yml").read_text()
    (direct,) = re.findall(r"^x-direct: &direct (\S+),\$\{", text, re.MULTILINE)
    servers = re.findall(r"--invitation-host (\S+)", text)
    blocks = re.findall(r"^( *)environment:[^\n]*\n((?:\1  [^\n]*\n)+)", text, re.MULTILINE)
    own = [block for _, block in blocks if "FEDLOOM_" in block]

    assert {"localhost", "127.0.0.1", *servers} == set(direct.split(","))
    assert len(own) >= 5
    assert [block for block in own if "no_proxy: *direct" not in block and "<<: *" not in block] == []


def test_images_that_are_taken_as_they_are_have_a_tag() -> None:
    text = "\n".join(file.read_text() for file in COMPOSE_FILES)
    found = re.findall(r"\$\{FEDLOOM_(?:BASE|NGINX|REDIS|POSTGRES)_IMAGE:-([^}]*)\}", text)

    assert found
    assert [image for image in found if not re.fullmatch(r"[a-z]+:\d+\.?\d*-[a-z-]+", image)] == []


@pytest.mark.parametrize("role", ["federation", "dashboard", ""])
def test_the_servers_flags_are_understood(role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FEDLOOM_STORE", "FEDLOOM_STORE_FILE", "FEDLOOM_REDIS", "FEDLOOM_REDIS_FILE"):
        monkeypatch.delenv(name, raising=False)
    given = [words for words in _commands() if "--public-url" in words]
    (flags,) = [words for words in given if (["--role", role] == words[:2]) if role] or [
        words for words in given if "--role" not in words
    ]

    settings = parse_server(flags)

    assert settings.host == "0.0.0.0"
    assert settings.deployment.role == (role or "all")
    assert settings.drain_s < 45  # stop_grace_period


def test_the_clients_flags_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEDLOOM_INVITE", raising=False)
    monkeypatch.delenv("FEDLOOM_INVITE_FILE", raising=False)
    given = [words for words in _commands() if "--dataset" in words]

    assert {parse_client(["--client-id", "a", *words]).dataset for words in given} == {"digits"}


def test_secrets_are_made_once_and_each_for_itself(tmp_path: Path) -> None:
    for name in ("postgres", "redis", "replica"):
        (tmp_path / name).mkdir()

    made = [_make_secrets(tmp_path) for _ in range(2)]

    assert made[0] == made[1]
    password, url = made[0]["postgres/password"], made[0]["postgres/url"]
    assert re.fullmatch(r"[0-9a-f]{64}", password)
    assert url == f"postgresql://fedloom:{password}@postgres:5432/fedloom\n"
    assert made[0]["redis/redis.conf"] == f"requirepass {made[0]['redis/password']}\n"
    assert made[0]["redis/url"] == f"redis://:{made[0]['redis/password']}@redis:6379/0\n"
    assert len({password, made[0]["redis/password"], made[0]["replica/key"]}) == 3


def _make_secrets(folder: Path) -> dict[str, str]:
    subprocess.run([str(CONTAINERS / "secrets.sh"), str(folder)], check=True, capture_output=True)
    files = {path for path in folder.rglob("*") if path.is_file()}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o444}
    return {str(path.relative_to(folder)): path.read_text() for path in files}


START = """\
#!/bin/sh
echo "home $FEDLOOM_HOME, $*"
"""


@pytest.mark.parametrize("given", ["", "ward-3"])
def test_a_client_has_a_name_and_a_folder_of_its_own(given: str, tmp_path: Path) -> None:
    (tmp_path / "invitation").write_text("fedloom://server:5050?key=…")
    (tmp_path / "python").write_text(START)
    (tmp_path / "python").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "FEDLOOM_HOME": "/var/lib/fedloom/home",
        "FEDLOOM_INVITE_FILE": str(tmp_path / "invitation"),
        "FEDLOOM_CLIENT_ID": given,
        "FEDLOOM_FLAGS": "--threads 2",
    }

    shell = [require("sh", why="it starts the client"), str(CONTAINERS / "client.sh"), "--dataset", "mnist"]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True, check=True)

    name = given or f"client-{os.uname().nodename}"
    assert done.stdout == (
        f"home /var/lib/fedloom/home/{name}, /opt/fedloom/run_client.py --client-id {name} --dataset mnist "
        "--threads 2\n"
    )


def test_what_the_images_are_made_of_is_there() -> None:
    copied = [
        name
        for file in DOCKERFILES
        for names in re.findall(r"^COPY (?!--from)(.*) \S+$", file.read_text(), re.MULTILINE)
        for name in names.split()
    ]
    kept = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [name for name in copied if not name.startswith(tuple(kept))] == []


def _commands() -> list[list[str]]:
    """What the compose file has its containers do, with the defaults of all settings."""
    text = (CONTAINERS / "docker-compose.yml").read_text()
    text = re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", text)
    folded = re.findall(r"^( *)command: >-\n((?:\1  +.*\n)+)", text, re.MULTILINE)
    plain = re.findall(r"^ *command: (--.*)$", text, re.MULTILINE)
    return [words.split() for words in [*(lines for _, lines in folded), *plain]]


def test_a_client_is_healthy_while_it_has_a_connection_with_its_servers_link() -> None:
    script = [require("sh", why="it looks for the connection"), str(CONTAINERS / "client-health.sh")]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        env = {**os.environ, "FEDLOOM_INVITE": f"fedloom://server:{port}?token=a"}

        before = subprocess.run(script, env=env)
        with socket.create_connection(server.getsockname()):
            connected = subprocess.run(script, env=env)

    assert (before.returncode, connected.returncode) == (1, 0)
