"""The containers of containers/docker-compose.yml, really built and run with Podman, on a base made here."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tests.support.ports import free_port
from tests.support.processes import ROOT
from tests.support.tools import require
from tests.support.waiting import wait_until

PROJECT = "fedloom-test"
BASE = "localhost/fedloom-test-base"
SERVICES = "localhost/fedloom-test-services"
BUILD_ARGUMENTS = os.environ.get("FEDLOOM_TEST_BUILD_ARGS", "--network=host")
"""Of `podman build`, as a shell has them: how a build gets at packages here."""

PACKAGES = "ca-certificates,python3,python3-venv,python3-pip"


def compose_of_docker() -> list[str]:
    """Docker Compose v2, as a command, also where there is no Docker: to read a file it needs none."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True)
        if plugin.returncode == 0:
            return ["docker", "compose"]
    return [require("docker-compose", why="Docker Compose v2 reads the compose files")]


class Compose:
    """One project: `up` makes and starts it, `down` removes it with its volumes."""

    def __init__(self, **settings: str) -> None:
        """`settings`: of .env.example, beside those of the images and ports."""
        self._podman = require("podman", why="containers are run with it")
        self._compose = require("podman-compose", why="it reads the compose file")
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._settings = {
            "COMPOSE_PROFILES": "full",
            "FEDLOOM_BASE_IMAGE": BASE,
            "FEDLOOM_NGINX_IMAGE": SERVICES,
            "FEDLOOM_REDIS_IMAGE": SERVICES,
            "FEDLOOM_POSTGRES_IMAGE": SERVICES,
            "FEDLOOM_PUBLIC_URL": self.url,
            "FEDLOOM_HTTP": f"127.0.0.1:{self.port}",
            "FEDLOOM_LINK": f"127.0.0.1:{free_port()}",
            **settings,
        }

    def build(self) -> None:
        """The base, unless it is there, what stands for the official images, and FedLoom's own."""
        if self._run([self._podman, "image", "exists", BASE], check=False).returncode != 0:
            self._make_base()
        folder = ROOT / "tests" / "containers" / "images"
        made = ["--format=docker", f"--build-arg=BASE_IMAGE={BASE}", f"--tag={SERVICES}"]
        file = f"--file={folder / 'Dockerfile.services'}"
        self._run([self._podman, "build", *shlex.split(BUILD_ARGUMENTS), *made, file, str(folder)])
        for name in ("server", "client"):
            self.compose(f"--podman-build-args={BUILD_ARGUMENTS} --format=docker", "build", name)

    def _make_base(self) -> None:
        debootstrap = require("debootstrap", why="it makes the base of all images")
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            include = ["--variant=minbase", f"--include={PACKAGES}"]
            self._run([debootstrap, *include, "bookworm", str(root)])
            archive = Path(folder) / "base.tar"
            self._run(["tar", "-C", str(root), "-cf", str(archive), "."])
            self._run([self._podman, "import", "--change=ENV LANG=C.UTF-8", str(archive), BASE])

    def up(self, *arguments: str) -> None:
        """Start all, or what is named, as `./start.sh containers` does with Podman."""
        self.compose("up", "--detach", "--no-deps", *arguments)

    def compose(self, *arguments: str, check: bool = True, **settings: str) -> str:
        """podman-compose, to its end; what it has printed. `settings`: for this call."""
        command = [self._compose, "--project-name", PROJECT, *arguments]
        environment = {**os.environ, **self._settings, **settings}
        folder = ROOT / "containers"
        done = self._run(command, check=check, cwd=folder, env=environment)
        return done.stdout

    def podman(self, *arguments: str, check: bool = True) -> str:
        """podman, to its end; what it has printed."""
        return self._run([self._podman, *arguments], check=check).stdout

    def containers(self, service: str) -> list[str]:
        """The names of a service's containers that run, in order."""
        project = f"label=com.docker.compose.project={PROJECT}"
        labels = [f"--filter={project}", f"--filter=label=com.docker.compose.service={service}"]
        return sorted(self.podman("ps", *labels, "--format={{.Names}}").split())

    def inspect(self, container: str) -> dict[str, Any]:
        """All that Podman knows of one."""
        found: list[dict[str, Any]] = json.loads(self.podman("inspect", "--type=container", container))
        return found[0]

    def logs(self, container: str) -> str:
        """What one has printed, on both of its outputs."""
        return self._run([self._podman, "logs", container], stderr=subprocess.STDOUT).stdout

    def crash(self, container: str) -> None:
        """SIGKILL to its main process, from outside of Podman, as it dies by itself; then its restart policy
        has it come back. Returns once it has."""
        before = self.inspect(container)["State"]
        os.kill(before["Pid"], signal.SIGKILL)

        def is_back() -> bool:
            now = self.inspect(container)["State"]
            return bool(now["Status"] == "running" and now["StartedAt"] != before["StartedAt"])

        wait_until(is_back, f"{container} comes back by its restart policy", 60.0)

    def down(self) -> None:
        """Remove containers, networks and volumes, also those without a name; images stay."""
        project = f"--filter=label=com.docker.compose.project={PROJECT}"
        if there := self.podman("ps", "--all", project, "--format={{.Names}}").split():
            self.podman("rm", "--force", "--volumes", "--time=2", *there, check=False)
        self.compose("--profile", "small", "--profile", "mesh", "down", "--volumes", check=False)

    def _run(
        self, command: list[str], *, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        options = {"stderr": subprocess.PIPE, **options}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, errors="replace", **options)
        if check and done.returncode != 0:
            raise AssertionError(
                f"{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            )
        return done
