"""start.sh containers, with stand-ins for Docker and Podman that say what they were told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import Checkout

SETUP = "http://localhost/#setup=0123456789"
READY = "INFO server: FedLoom is ready at http://localhost:5000 (clients connect to port 5050)"

STAND_IN = f"""\
#!/bin/sh
case "$*" in
    *version*) exit "${{VERSION_ENDS_WITH:-0}}" ;;
    *"logs --since 1h "*) echo "server-1  | {READY}"; echo "server-1  |     $SHOWN" ;;
    *"logs "*) for shown in "$SHOWN_LONG_AGO" "$SHOWN"; do echo "server-1  | {READY} $shown"; done ;;
    *" exec -T "*healthz*) ! rm starting 2>/dev/null ;;
    *) echo "$(basename "$0") $* in $(basename "$PWD") ($COMPOSE_PROFILES)"; exit "${{ENDS_WITH:-0}}" ;;
esac
"""
"""Of the server it says that it does not answer, once, while there is a file `starting`."""

PODMAN = "".join(
    f"podman-compose {each} in containers (full)\n"
    for each in ("build server", "build client", "up --detach --no-deps")
)
"""Each image is built once, and one after the other."""

ALL = "full,mesh,small"


@pytest.fixture
def engines(checkout: Checkout, bare_path: Path) -> Path:
    """A folder for PATH with both; the checkout has the folder of the compose file."""
    (checkout.folder / "containers").mkdir()
    for name in ("docker", "podman", "podman-compose"):
        (bare_path / name).write_text(STAND_IN)
        (bare_path / name).chmod(0o755)
    for tool in ("basename", "sed", "sleep", "tail"):
        (bare_path / tool).symlink_to(f"/usr/bin/{tool}")
    return bare_path


def test_everything_is_started_and_it_is_said_where_the_first_administrator_is_made(
    checkout: Checkout, engines: Path
) -> None:
    (checkout.folder / "containers" / "starting").touch()

    result = checkout.run("containers", PATH=str(engines), SHOWN=f"{SETUP}\033[0m")

    assert result.returncode == 0, result
    assert "docker compose up --detach --build in containers (full)\n" in result.stdout
    assert f"    {SETUP}\n" in result.stdout
    assert "The page: http://localhost\n" in result.stdout
    assert not (checkout.folder / "containers" / "starting").exists(), "it was asked whether it answers"


def test_a_small_installation(checkout: Checkout, engines: Path) -> None:
    result = checkout.run("containers", "small", PATH=str(engines), SHOWN="")

    assert "docker compose up --detach --build in containers (small)\n" in result.stdout, result
    assert "first administrator" not in result.stdout  # there is one, so that the server does not ask for one
    assert "containers logs small-server\n" in result.stdout


def test_an_address_that_has_expired_is_not_shown(checkout: Checkout, engines: Path) -> None:
    """The log of a server that was there already has it still."""
    result = checkout.run("containers", PATH=str(engines), SHOWN="", SHOWN_LONG_AGO=SETUP)

    assert result.returncode == 0, result
    assert "The page: http://localhost\n" in result.stdout
    assert "#setup=" not in result.stdout


@pytest.mark.parametrize(("profile", "server"), [("small", "small-server"), ("mesh", "server")])
def test_the_profile_of_the_settings_is_taken(
    checkout: Checkout, engines: Path, profile: str, server: str
) -> None:
    (checkout.folder / "containers" / ".env").write_text(f"COMPOSE_PROFILES={profile}\n")

    started = checkout.run("containers", PATH=str(engines), SHOWN="")
    scaled = checkout.run("containers", "up", "--scale", "client=5", PATH=str(engines))

    assert f"docker compose up --detach --build in containers ({profile})\n" in started.stdout, started
    assert f"containers logs {server}\n" in started.stdout
    assert scaled.stdout == f"docker compose up --scale client=5 in containers ({profile})\n"


@pytest.mark.parametrize("without", [("docker",), ("docker", "podman", "podman-compose")])
def test_whichever_is_here_is_taken(checkout: Checkout, engines: Path, without: tuple[str, ...]) -> None:
    for name in without:
        (engines / name).unlink()

    result = checkout.run("containers", PATH=str(engines), SHOWN=SETUP)

    if "podman" in without:
        assert result.returncode == 1
        assert "Neither Docker with Compose (docker compose) nor Podman" in result.stderr
    else:
        assert PODMAN in result.stdout, result


def test_docker_without_compose_is_not_enough(checkout: Checkout, engines: Path) -> None:
    result = checkout.run("containers", PATH=str(engines), SHOWN=SETUP, VERSION_ENDS_WITH="1")

    assert PODMAN in result.stdout, result


@pytest.mark.parametrize(
    ("given", "profiles"),
    [
        (("up", "--detach", "--scale", "client=5"), "full"),
        (("--profile", "mesh", "up"), "full"),
        (("down",), ALL),
        (("cp", "server:from", "to"), ALL),
        (("exec", "server", "python", "-V"), ALL),
    ],
)
def test_all_else_is_for_compose(
    checkout: Checkout, engines: Path, given: tuple[str, ...], profiles: str
) -> None:
    result = checkout.run("containers", *given, PATH=str(engines), ENDS_WITH="3")

    told = f"docker compose {' '.join(given)} in containers ({profiles})\n"
    assert (result.returncode, result.stdout) == (3, told), result


@pytest.mark.parametrize(("given", "ends_with"), [(("logs", "server"), 0)])
def test_logs_are_shown(checkout: Checkout, engines: Path, given: tuple[str, ...], ends_with: int) -> None:
    result = checkout.run("containers", *given, PATH=str(engines), SHOWN=SETUP)

    assert (result.returncode, SETUP in result.stdout) == (ends_with, True), result


def test_what_cannot_be_started_is_said(checkout: Checkout, engines: Path) -> None:
    result = checkout.run("containers", PATH=str(engines), ENDS_WITH="3")

    assert result.returncode == 1
    assert "error: The containers could not be started" in result.stderr


def test_settings_of_the_environment_go_before_those_of_the_file(checkout: Checkout, engines: Path) -> None:
    (checkout.folder / "containers" / ".env").write_text("FEDLOOM_PUBLIC_URL=http://localhost:8080\n")

    by_file = checkout.run("containers", PATH=str(engines), SHOWN=SETUP)
    by_both = checkout.run(
        "containers", PATH=str(engines), SHOWN=SETUP, FEDLOOM_PUBLIC_URL="http://localhost:9090"
    )

    assert "The page: http://localhost:8080\n" in by_file.stdout, by_file
    assert "The page: http://localhost:9090\n" in by_both.stdout, by_both


CUDA = "so the images have PyTorch's default build, with CUDA"


@pytest.mark.parametrize(
    ("in_file", "setting", "has_cuda"),
    [
        ("", {}, False),
        ("FEDLOOM_TORCH_BACKEND=\n", {}, True),
        ('FEDLOOM_TORCH_BACKEND=cpu\nFEDLOOM_TORCH_BACKEND=""\n', {}, True),
        ("FEDLOOM_TORCH_BACKEND=\n", {"FEDLOOM_TORCH_BACKEND": "cpu"}, False),
        ("", {"FEDLOOM_TORCH_BACKEND": ""}, True),
        ("FEDLOOM_TORCH_INDEX=https://example.org/cpu\n", {"FEDLOOM_TORCH_BACKEND": ""}, False),
    ],
)
def test_it_is_said_when_the_images_get_cuda(
    checkout: Checkout, engines: Path, in_file: str, setting: dict[str, Any], has_cuda: bool
) -> None:
    (checkout.folder / "containers" / ".env").write_text(in_file)

    result = checkout.run("containers", PATH=str(engines), SHOWN=SETUP, **setting)

    assert (result.returncode, CUDA in result.stdout) == (0, has_cuda), result


def test_two_answers_to_which_pytorch_the_images_get_are_refused(checkout: Checkout, engines: Path) -> None:
    (checkout.folder / "containers" / ".env").write_text("FEDLOOM_TORCH_INDEX=https://example.org/cpu\n")

    result = checkout.run("containers", PATH=str(engines), FEDLOOM_TORCH_BACKEND="cpu")

    assert result.returncode == 1
    assert "both say which PyTorch to take. Unset one of them." in result.stderr
    assert "up --detach" not in result.stdout


def test_the_menu_starts_them(checkout: Checkout, engines: Path) -> None:
    result = checkout.run(stdin="11\nsmall\n", PATH=str(engines), SHOWN=SETUP)

    assert "docker compose up --detach --build in containers (small)" in result.stdout, result


def test_install_makes_the_environment_alone(checkout: Checkout) -> None:
    result = checkout.run("install")

    assert result.returncode == 0, result
    assert (checkout.venv / ".fedloom-stamp").exists()
    assert "has all that requirements.txt asks for" in result.stdout
