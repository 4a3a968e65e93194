"""The documents promise only what is there: commands, paths, packages, variables, requests."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from types import MappingProxyType

import pytest

import app.settings
import client.cli
from app.demo import settings as demo
from tests.support.documents import DOCUMENTS, MANUAL, commands, inline_codes, text_of
from tests.support.processes import ROOT

SOURCES = [
    ROOT / "client",
    ROOT / "dashboard",
    ROOT / "mesh",
    ROOT / "shared",
    ROOT / "tests",
    *(path for path in (ROOT / "app").iterdir() if path.is_dir() and path.name != "frontend"),
]

ROOMS = (ROOT / "app" / "federation", ROOT / "app" / "frontend" / "src")
"""Folders that paths in docs/architecture.md start from as well, as it says."""

RUN_BY = MappingProxyType(
    {
        ".ci/run": ("CONTRIBUTING.md", "what a commit must pass"),
        "./start.sh test": (".ci/run", "./start.sh test"),
        "./start.sh check": (".ci/run", "./start.sh check"),
        './start.sh test -m "not alone" --numprocesses=3 --dist=loadfile': (
            ".ci/run",
            '-m "not alone" --numprocesses=3 --dist=loadfile',
        ),
        "./start.sh test tests/unit": (".ci/run", "./start.sh test --ignore=tests/unit"),
        ". .venv/bin/activate": ("tests/integration/start_sh/test_environment.py", ". .venv/bin/activate"),
        "python -m shared.proto.generate": ("tests/unit/test_generated.py", "generate(ROOT, tmp_path)"),
        "python -m app.run_tables": ("tests/unit/test_generated.py", "with_tables(name, committed)"),
        "python -m app.api > app/frontend/openapi.json": (
            "tests/unit/test_generated.py",
            '"-m", "app.api"',
        ),
        "cd app/frontend && npm ci && npm run types && npm run build": (".ci/run", "npm run types"),
        "pip install -r requirements-dev.txt": ("start.sh", "pip install"),
        **{
            f"python -m bench {name} --json {name}.json": ("tests/integration/test_bench.py", f'"{name}",')
            for name in (
                "round",
                "overhead",
                "payload",
                "sign",
                "recover",
                "dp",
                "secagg",
                "mesh",
                "page",
                "viewers",
            )
        },
        "python -m bench round": ("tests/integration/test_bench.py", '"round",'),
        "flwr run . fedloom --run-config 'num-server-rounds=2 learning-rate=0.2' --stream": (
            "tests/integration/test_flower_command.py",
            '"num-server-rounds=2 learning-rate=0.2"',
        ),
        "python -m client.confirm": ("tests/unit/test_confirmations.py", "main([])"),
        "python -m client.confirm RUN": (
            "tests/integration/test_site_policy.py",
            '"-m client.confirm", run_id',
        ),
        "python -m client.confirm RUN --decline": ("tests/integration/test_site_policy.py", '"--decline"'),
        "python -m client.ledger": ("tests/integration/test_privacy_ledger.py", '"-m client.ledger", env='),
        "python -m client.ledger export ledger.csv": (
            "tests/unit/test_ledger_command.py",
            '"export", str(file)',
        ),
        "python run_client.py --client-id client-1 --privacy-budget 3": (
            "tests/unit/test_policy.py",
            '"--client-id", "client-1", "--privacy-budget", "2"',
        ),
        "python -m client.doctor --client-id client-1 --dataset digits": (
            "tests/integration/test_doctor.py",
            '("--client-id", "patient", "--server", session_server.link, "--dataset", "digits")',
        ),
        **dict.fromkeys(
            commands("docs/users.md"), ("tests/integration/test_users_docs.py", 'commands("docs/users.md")')
        ),
        "./start.sh doctor": ("tests/integration/start_sh/test_commands.py", 'checkout.run("doctor")'),
        "./start.sh doctor server": (
            "tests/integration/start_sh/test_commands.py",
            'installed.run("doctor", *given)',
        ),
        "./start.sh doctor --client-id client-1": (
            "tests/integration/start_sh/test_commands.py",
            '("--client-id", "a")',
        ),
        "FEDLOOM_TORCH_BACKEND=cpu ./start.sh demo": (
            "tests/integration/start_sh/test_torch_backend.py",
            '"demo", FEDLOOM_TORCH_BACKEND="cpu", **',
        ),
        "FEDLOOM_TORCH_INDEX=ADDRESS ./start.sh demo": (
            "tests/integration/start_sh/test_bundle.py",
            'used.run("demo", FEDLOOM_TORCH_INDEX=cpu.url',
        ),
        "./start.sh bundle fedloom-wheels": (
            "tests/integration/start_sh/test_bundle.py",
            '"bundle", str(folder / "bundle")',
        ),
        "./start.sh --offline fedloom-wheels server": (
            "tests/integration/start_sh/test_bundle.py",
            '"--offline", "a bundle", "demo"',
        ),
        "python -m app.backup fedloom-2026-11-27.backup --passphrase-file passphrase": (
            "tests/integration/test_backup.py",
            'command("app.backup", home, str(file), "--passphrase-file"',
        ),
        "python -m app.restore fedloom-2026-11-27.backup /srv/fedloom --passphrase-file passphrase": (
            "tests/integration/test_backup.py",
            'command("app.restore", tmp_path, str(file), str(elsewhere), "--passphrase-file"',
        ),
        **{
            f"./start.sh containers{words}": ("tests/integration/start_sh/test_containers.py", run)
            for words, run in (
                ("", 'checkout.run("containers", PATH'),
                (" small", 'checkout.run("containers", "small"'),
                (" logs server", '(("logs", "server"), '),
                (" up --detach --scale client=5", '(("up", "--detach", "--scale", "client=5"), '),
                (
                    " exec server python -m app.backup /var/lib/fedloom/home/fedloom.backup",
                    '(("exec", "server", "python", "-V"), ',
                ),
                (
                    " exec server rm /var/lib/fedloom/home/fedloom.backup",
                    '(("exec", "server", "python", "-V"), ',
                ),
                (" cp server:/var/lib/fedloom/home/fedloom.backup .", '(("cp", "server:from", "to"), '),
            )
        },
        "flwr list fedloom": ("tests/integration/test_flower_command.py", '"list", "fedloom"'),
        **dict.fromkeys(
            [*commands("docs/notifications.md"), *commands("docs/trackers.md")],
            ("tests/integration/test_outlets.py", "ServerProcess(*flags, *trackers, home=tmp_path)"),
        ),
        **dict.fromkeys(
            commands("docs/audit.md"), ("tests/integration/test_audit.py", 'commands("docs/audit.md")')
        ),
        **dict.fromkeys(
            commands("docs/privacy.md"),
            ("tests/integration/test_privacy_docs.py", 'commands("docs/privacy.md")'),
        ),
        **{
            command: ("tests/unit/test_forwarded.py", 'commands("docs/deployment.md")')
            if command.startswith("python run_server.py ")
            else ("tests/integration/test_nginx_settings.py", 'commands("docs/deployment.md")')
            for command in commands("docs/deployment.md")
        },
        **dict.fromkeys(
            commands("docs/engines.md"), ("tests/unit/test_engines.py", 'commands("docs/engines.md")')
        ),
        **dict.fromkeys(
            commands("docs/joining.md"), ("tests/fault/test_sites.py", 'commands("docs/joining.md")')
        ),
        **dict.fromkeys(
            commands("docs/mesh-use.md"),
            ("tests/integration/test_mesh_docs.py", 'commands("docs/mesh-use.md")'),
        ),
        "python run_client.py --client-id client-1 --enable-mesh --page": (
            "tests/e2e/test_page_network.py",
            '"--enable-mesh", "--mesh-after", "1", "--page"',
        ),
        **dict.fromkeys(
            commands("docs/mesh-offline.md"),
            ("tests/integration/test_mesh_offline_docs.py", 'commands("docs/mesh-offline.md")'),
        ),
        **dict.fromkeys(commands("docs/tour.md"), ("tests/pictures/tour.py", 'commands("docs/tour.md")')),
        **dict.fromkeys(
            commands("docs/mesh-files.md"),
            ("tests/integration/test_mesh_sync_command.py", 'commands("docs/mesh-files.md")'),
        ),
        **dict.fromkeys(
            commands("docs/mesh-learning.md"),
            ("tests/integration/test_mesh_runs.py", 'commands("docs/mesh-learning.md")'),
        ),
        "curl http://localhost:5000/api/v1/runs -H 'Content-Type: application/json' "
        """-d '{"run_config": {"learning-rate": 0.02}, "num_rounds": 3}'""": (
            "tests/integration/test_demo_apps.py",
            'run_config={"learning-rate": 0.02}',
        ),
    }
)
"""For each command of the documents but the manual (see tests/e2e/test_readme.py): who runs it, and how."""

NOT_TRIED = {line for line in commands("CONTRIBUTING.md") if line.startswith("uv pip compile ")}
"""Needs the network; CONTRIBUTING says so."""

AS_ROOT = {line for line in commands("docs/operations.md") if line.startswith(("sudo ", "journalctl "))}
"""Need a machine of their own that systemd has started; tests/unit/test_units.py has it verify the units."""

AT_A_CLUSTER = set(commands("docs/kubernetes.md"))
"""Need a cluster, as the document says; tests/unit/test_chart_docs.py holds them against the chart."""

TRIED_BY_HAND = set(commands("docs/flower-apps-tried.md"))
"""Needs the network and a clone of Flower's repository; the document says so."""

PARSED = tuple(
    command
    for command in commands("docs/flower-apps.md")
    if command.startswith(("python run_", "./start.sh app"))
)
"""Started with other flags by tests/integration; here their own are understood."""

OUTSIDE = {
    "containers/.env",
    "containers/certificates",
    ". .venv/bin/activate",
    ".fedloom/data",
    ".fedloom/folder",
    ".fedloom/versions",
    "fedloom/mesh-manifest/v1",
    "sync/NAME",
    "../shared/data",
    "checkpoints/RUN/round-00005.safetensors",
    "run.json",
    "rounds.csv",
    "clients.csv",
    "fedloom.db",
    "fedloom/checkpoint/v1",
    "fedloom/cosignature/v1",
    "address.txt",
    "NAME.json",
    "receipts/CLIENT.jsonl",
    "witness/CLIENT.json",
    "witness/CLIENT.objection.json",
    "keys/page-key",
    "keys/replica-key",
    "keys/server.crt",
    "~/.flwr",
    "config.toml",
    "client.toml",
    "FEDLOOM_HOME/mesh-roster.json",
    "FEDLOOM_HOME/receipts",
    "FEDLOOM_HOME/ledger",
    "apps/APP/server",
    "apps/APP/CLIENT",
    "~/.pgpass",
    "MNIST/raw/train-images-idx3-ubyte",
    "receipts/",
    "servers/",
}
"""Paths that are on a user's machine, or made when something runs."""

TAGS = {
    "class_accuracy/NAME",
    "client/ID",
    "client/ID/",
    "client/evaluate_s",
    "client/samples",
    "client/train_s",
    "clients-mean/",
    "DIR/RUN",
    "metrics/STAGE/NAME",
    "privacy/epsilon",
    "round/clients",
    "round/duration_s",
}
"""What trackers call numbers and folders, in docs/trackers.md."""


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name not in MANUAL])
def test_every_command_of_a_document_is_run_by_something(document: str) -> None:
    known = {*RUN_BY, *NOT_TRIED, *AS_ROOT, *AT_A_CLUSTER, *TRIED_BY_HAND, *PARSED}

    assert [command for command in commands(document) if command not in known] == []


@pytest.mark.parametrize("command", PARSED)
def test_commands_that_run_an_app_are_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program, *flags = shlex.split(command)[1:]

    match program:
        case "app":
            assert demo.parse(["--app", *flags]).app is not None
        case "run_demo.py":
            assert demo.parse(flags).app is not None
        case "run_server.py":
            assert app.settings.parse(flags).app is not None
        case "run_client.py":
            assert client.cli.parse(flags).app is not None
        case _:
            pytest.fail(f"nothing parses {command}")


@pytest.mark.parametrize(("file", "words"), sorted(set(RUN_BY.values())))
def test_what_is_said_to_run_a_command_does(file: str, words: str) -> None:
    assert words in text_of(file)


def test_what_no_test_runs_says_so() -> None:
    assert len(NOT_TRIED) == 3
    assert "No test runs these three" in text_of("CONTRIBUTING.md")
    assert "no test runs this: it needs the network" in text_of("docs/flower-apps-tried.md")


def test_the_parts_of_the_front_ends_command_are_all_run() -> None:
    run = text_of(".ci/run") + text_of("start.sh")  # which .ci/run runs

    for part in ("npm ci", "npm run types", "npm run build"):
        assert part in run
    scripts = json.loads(text_of("app/frontend/package.json"))["scripts"]
    assert set(re.findall(r"npm run (\w+)", text_of("CONTRIBUTING.md"))) <= scripts.keys()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_paths_that_a_document_names_are_there(document: str) -> None:
    below = {path.name for folder in SOURCES for path in folder.rglob("*")}

    def is_there(path: str) -> bool:
        if any((folder / path).exists() for folder in (ROOT, *ROOMS)):
            return True
        return "/" not in path.rstrip("/") and path.rstrip("/") in below

    words = {word for code in inline_codes(document) if code not in OUTSIDE for word in code.split()}
    paths = {
        word
        for word in words - OUTSIDE - TAGS
        if re.fullmatch(r"[\w.-]+(/[\w.-]*)+|[\w-]+\.(py|sh|md|toml|txt|json)", word)
    }

    assert {path for path in paths if not is_there(path)} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_files_that_a_document_links_to_are_there(document: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text_of(document))
    folder = (ROOT / document).parent

    assert [link for link in links if not (folder / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_modules_that_a_document_starts_are_there(document: str) -> None:
    modules = set(re.findall(r"python -m ([\w.]+)", text_of(document)))

    assert {name for name in modules if importlib.util.find_spec(name) is None} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_environment_variables_that_a_document_names_are_read(document: str) -> None:
    sources = [path.read_text(encoding="utf-8") for folder in SOURCES for path in folder.rglob("*.py")]
    others = ("start.sh", "containers/nginx/start.sh", "containers/docker-compose.yml")
    code = "".join([*map(text_of, others), *sources])

    named = set(re.findall(r"\bFEDLOOM_[A-Z_]+", text_of(document)))

    assert {name for name in named if name not in code} == set()


def test_the_requests_that_are_listed_are_those_of_the_api() -> None:
    known = {
        (method.upper(), re.sub(r"{\w+}", "X", path))
        for path, methods in json.loads(text_of("app/frontend/openapi.json"))["paths"].items()
        for method in methods
    }
    named = set()
    for row in re.findall(r"^\| (`(?:GET|POST).*?) \|", text_of("docs/rest.md"), flags=re.MULTILINE):
        method, start = "GET", ""
        for code in re.findall(r"`([^`]+)`", row):
            words = code.split()
            if len(words) == 2:
                method, path = words
                start = path.rpartition("/")[0]
            else:
                path = start + words[0]
            named.add((method, re.sub(r"\b[A-Z]{2,}\b", "X", path.partition("?")[0])))

    assert len(named) > 10
    assert {request for request in named if request not in known and request[1] != "/healthz"} == set()


def test_the_debian_packages_for_the_tests_are_those_that_ci_installs() -> None:
    [line] = [code for code in inline_codes("CONTRIBUTING.md") if code.startswith("apt install")]

    needed = re.findall(r"^need ([\w-]+) ", text_of(".ci/run"), flags=re.MULTILINE)

    assert sorted(shlex.split(line)[2:]) == sorted(needed)


def test_readme_says_what_no_test_tries() -> None:
    section = text_of("README.md").split("## What was tried\n")[1].split("\n## ")[0]

    for system in ("macOS", "Fedora", "CUDA", "MPS", "Windows"):
        assert system in section
