"""The audit log of a real server with real clients: exported, verified, replayed, and seen over REST."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.audit.entry import Entry
from app.audit.file import entry_line
from app.audit.replay import ReplayFailed, replay
from app.audit.updates import UPDATES, UpdateMissing
from app.audit.verify import entries_of, verify
from app.demo.fleet import Fleet
from app.records import AuditStatus
from shared.canonical import canonical
from shared.security.witness_file import WitnessFile
from tests.conftest import Clients
from tests.support.api import Api, Json
from tests.support.audit import opened
from tests.support.documents import commands
from tests.support.forked_server import ForkedServer
from tests.support.processes import ROOT, Command
from tests.support.raw_link import RawClient
from tests.support.waiting import wait_until

TRIO = ("a", "b", "c")
SPEC: dict[str, Any] = {"num_rounds": 3, "min_clients": 3, "model": "linear", "keep_updates": True}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    """A server with three clients."""
    server = ForkedServer(tmp_path_factory.mktemp("audited") / "home")
    server.start()
    with Fleet() as fleet:
        Clients(fleet, server, server.home).start(*TRIO)
        yield server
    server.end()


@pytest.fixture(scope="module")
def rest(server: ForkedServer) -> Iterator[Api]:
    with closing(Api(server.url)) as api:
        yield api


def run_of(rest: Api, **changes: Any) -> str:
    """A run that is complete, and whose end all clients have witnessed."""
    run_id: str = rest.start(**{**SPEC, **changes})["id"]
    rest.wait_for_run(run_id, "completed")

    def is_witnessed() -> bool:
        end = [
            entry["index"]
            for entry in entries(rest)
            if entry["kind"] == "run-ended" and entry["fields"]["run"] == run_id
        ]
        witnesses = AuditStatus.model_validate(rest.get("/audit/checkpoint")).witnesses
        return bool(end) and len(witnesses) == 3 and all(each.size > end[0] for each in witnesses)

    wait_until(is_witnessed, "all clients have witnessed the end of the run")
    return run_id


def entries(rest: Api, **query: int) -> list[Json]:
    """Entries over REST."""
    found: list[Json] = rest.get("/audit/entries", **query)["entries"]
    return found


def exported(rest: Api) -> bytes:
    response = rest.http.get("/api/v1/audit")
    assert response.status_code == 200
    assert response.headers["content-disposition"].startswith("attachment; filename=fedloom-audit-")
    return response.content


def witness(server: ForkedServer, client_id: str) -> WitnessFile:
    found = WitnessFile.read(server.home / "witness" / f"{client_id}.json")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def fedavg(rest: Api) -> str:
    return run_of(rest)


def test_a_run_stands_in_a_log_that_its_clients_have_witnessed(
    server: ForkedServer, rest: Api, fedavg: str
) -> None:
    data = exported(rest)

    verified = verify(opened(data), [witness(server, client_id) for client_id in TRIO])
    of_run = [
        entry
        for entry in entries_of(opened(data))
        if entry.fields.get("run") == fedavg
        and entry.kind not in {"run-commanded", "downloaded", "update-judged"}
    ]

    judged = [
        entry.fields
        for entry in entries_of(opened(data))
        if entry.kind == "update-judged" and entry.fields["run"] == fedavg
    ]
    assert len(judged) == 18, "three rounds of training and evaluation by three clients"
    assert {fields["verdict"] for fields in judged} == {"accepted"}
    assert verified.witnesses.keys() == set(TRIO)
    assert [entry.kind for entry in of_run] == [
        "run-queued",
        "run-started",
        "round-completed",
        *["aggregated", "round-completed"] * 3,
        "run-ended",
    ]
    aggregated = [entry.fields for entry in of_run if entry.kind == "aggregated"]
    assert [fields["round"] for fields in aggregated] == [1, 2, 3]
    assert all(sorted(each["client"] for each in fields["updates"]) == [*TRIO] for fields in aggregated)


def test_the_log_has_the_digests_of_the_models_that_are_downloaded(rest: Api, fedavg: str) -> None:
    (last,) = [
        entry["fields"]
        for entry in entries(rest, limit=200)
        if entry["kind"] == "aggregated" and (entry["fields"]["run"], entry["fields"]["round"]) == (fedavg, 3)
    ]

    model = rest.http.get(f"/api/v1/runs/{fedavg}/checkpoints/3").content

    header = json.loads(model[8 : 8 + int.from_bytes(model[:8], "little")])
    assert header["__metadata__"]["digest"] == last["after"]
    download = {
        "what": "model",
        "run": fedavg,
        "round": 3,
        "by": "the user who started the server",
        "address": "127.0.0.1",
    }
    wait_until(lambda: entries(rest)[0]["fields"] == download, "the download is entered")


@pytest.mark.parametrize(
    ("strategy", "parameters"),
    [
        ("fedavg", {}),
        ("fedyogi", {}),
        ("fedavgm", {}),
        ("qfedavg", {}),
        ("fedmedian", {}),
        ("dpfedavg-adaptive", {"noise_multiplier": 0.0}),
    ],
)
def test_every_model_is_recomputed_from_the_updates_that_were_kept(
    server: ForkedServer, rest: Api, strategy: str, parameters: Json
) -> None:
    run_id = run_of(rest, strategy=strategy, strategy_params=parameters)

    found = list(replay(opened(exported(rest)), server.home / UPDATES))

    assert f"run {run_id}: 3 models recomputed from their updates, bit for bit the same." in found


def test_what_cannot_be_recomputed_is_said(server: ForkedServer, rest: Api) -> None:
    private = run_of(rest, strategy="dpfedavg-fixed")
    not_kept = run_of(rest, keep_updates=False)

    found = "\n".join(replay(opened(exported(rest)), server.home / UPDATES))

    assert f"run {private}: not recomputed: the noise that protects its clients comes from a secret" in found
    assert f"run {not_kept}: not recomputed: its updates were not kept (--keep-updates)" in found


def test_a_model_that_its_updates_do_not_come_to_is_found(
    server: ForkedServer, rest: Api, fedavg: str
) -> None:
    """As by a server that leaves out a client's update and says that it was in."""

    def changed(line: bytes) -> bytes:
        if b'"kind":"aggregated"' not in line:
            return line
        entry = json.loads(line)["entry"]
        entry["fields"]["updates"].pop()
        return entry_line(canonical(entry))

    lines = exported(rest).splitlines(keepends=True)

    with pytest.raises(ReplayFailed, match=r"the updates in the log come to the model [0-9a-f]{64}, and the"):
        list(replay(opened(b"".join(map(changed, lines))), server.home / UPDATES))


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_an_update_that_is_not_the_one_that_came_is_found(
    server: ForkedServer, rest: Api, fedavg: str, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / fedavg
    folder.mkdir()
    for kept in (server.home / UPDATES / fedavg).iterdir():
        (folder / kept.name).write_bytes(kept.read_bytes())
    update = next(path for path in folder.iterdir() if path.suffix == ".update")
    if damage == "gone":
        update.unlink()
    else:
        data = bytearray(update.read_bytes())
        data[-1] ^= 1
        update.write_bytes(data)

    with pytest.raises(UpdateMissing, match=r"its bytes have changed|cannot be read"):
        list(replay(opened(exported(rest)), tmp_path))


def audit(home: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of `python -m app.audit` and what it said."""
    command = Command("-m app.audit", *arguments, home=home)
    return command.wait_for_exit(60), command.output


def test_the_commands_that_an_auditor_types(
    server: ForkedServer, rest: Api, fedavg: str, tmp_path: Path
) -> None:
    file, home = tmp_path / "audit.jsonl", server.home
    before = exported(rest)
    assert audit(home, "export", str(file))[0] == 0
    assert file.read_bytes().startswith(before[: before.rindex(b'{"checkpoint"')])

    file.write_bytes(before)
    seen = str(home / "witness" / "a.json")
    code, said = audit(tmp_path, "verify", str(file), "--witness", seen)
    assert code == 0, said
    assert "All that the given witnesses have seen is in the file." in said
    held = [str(home / "receipts" / f"{client_id}.jsonl") for client_id in ("a", "b")]
    code, said = audit(tmp_path, "verify", str(file), "--receipts", *held)
    assert code == 0, said
    assert all(f"replies of which {path} holds receipts are in the log" in said for path in held)
    code, said = audit(home, "replay", str(file))
    assert code == 0, said
    assert f"run {fedavg}: 3 models recomputed" in said

    data = bytearray(before)
    data[data.index(b'"kind":"run-queued"') + 10] ^= 1
    file.write_bytes(data)
    code, said = audit(tmp_path, "verify", str(file))
    assert code == 1
    line = 1 + before.count(b"\n", 0, before.index(b"run-queued"))
    assert f"error: Line {line}" in said
    assert "it was changed: the entry does not have the hash of its leaf" in said

    assert audit(tmp_path, "verify", str(tmp_path / "none"))[0] == 1
    assert audit(tmp_path, "verify", str(file), "--witness", str(tmp_path / "none"))[0] == 1
    code, said = audit(tmp_path, "verify", str(file), "--receipts", str(tmp_path / "none"))
    assert (code, f"error: {tmp_path / 'none'}: No such file" in said) == (1, True)
    assert audit(tmp_path / "nowhere" if False else tmp_path, "export", str(file))[0] == 1, (
        "there is no store"
    )


def test_the_commands_of_the_document_do_what_it_says(
    server: ForkedServer, rest: Api, fedavg: str, tmp_path: Path
) -> None:
    shutil.copy(server.home / "witness" / "a.json", tmp_path / "client-1.json")
    shutil.copy(server.home / "receipts" / "a.jsonl", tmp_path / "client-1.jsonl")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "FEDLOOM_HOME": str(server.home)}
    tried = 0
    for command in commands("docs/audit.md"):
        line = command.replace("http://localhost:5000", server.url).replace("python ", f"{sys.executable} ")
        done = subprocess.run(["bash", "-c", line], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        tried += 1

    assert tried == 6


def test_the_log_over_rest_is_read_in_pages(rest: Api, fedavg: str) -> None:
    size = rest.get("/audit/entries")["size"]
    newest = entries(rest, limit=3)
    older = entries(rest, limit=3, before=newest[-1]["index"])
    oldest = entries(rest, limit=2, after=-1)

    assert [entry["index"] for entry in newest + older] == list(range(size - 1, size - 7, -1))
    assert [entry["index"] for entry in oldest] == [0, 1]
    assert oldest[0]["kind"] == "server-started"
    for entry in newest:
        data = canonical({**entry, "time": round(entry["time"] * 1000)})
        assert Entry.parse(data).index == entry["index"]


def test_who_is_refused_is_entered(server: ForkedServer, rest: Api) -> None:
    with RawClient(server.home) as stranger:
        answer = stranger.hello("d", dataset="x" * 300)
    assert answer.WhichOneof("kind") == "refusal"

    def refused() -> list[Json]:
        return [entry["fields"] for entry in entries(rest) if entry["kind"] == "client-refused"]

    (fields,) = wait_until(refused, "the refusal is entered")
    assert (fields["client"], fields["repeated"]) == ("d", 0)
    assert fields["reason"].startswith("A name in the hello is too long")


def test_the_page_is_told_of_what_is_new_in_the_log(rest: Api, fedavg: str) -> None:
    before = rest.get("/status")["seq"]
    run_of(rest, keep_updates=False)

    told = [event for event in rest.get("/events", since=before)["events"] if event["type"] == "audit_update"]

    sizes = [event["data"]["size"] for event in told]
    assert sizes == sorted(sizes)
    assert told[-1]["data"] == rest.get("/audit/checkpoint")
