"""What a private run has spent, in each of the files that it can be exported as."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from app.exporting.formats import ExportFormat, export_files
from app.records import PrivacySpent, Round, Run
from app.records.privacy import Protected
from tests.support.exports import a_finished_run, contents, scalars

OF_RUN, OF_CLIENT = 2.375, 1.625
"""Epsilons that no other number of the run is."""


def a_private_run() -> tuple[Run, list[Round]]:
    """One of which client-1 has spent less than the most that a client has."""
    run, rounds = a_finished_run()
    privacy = PrivacySpent(protects=Protected.SAMPLE, from_server=True, epsilon=OF_RUN, delta=1e-5)
    part = rounds[2].per_client["client-1"].model_copy(update={"epsilon": OF_CLIENT})
    parts = {**rounds[2].per_client, "client-1": part}
    rounds[2] = rounds[2].model_copy(update={"epsilon": OF_RUN, "per_client": parts})
    return run.model_copy(update={"privacy": privacy}), rounds


def exported(export_format: ExportFormat) -> dict[str, bytes]:
    return contents(export_files(export_format, *a_private_run()))


def column(table: bytes) -> dict[str, str]:
    """What a table has of epsilon, by round and client."""
    rows = csv.DictReader(io.StringIO(table.decode(), newline=""), strict=True)
    return {
        f"{row['round']} {row.get('client', '')}".strip(): row["epsilon"] for row in rows if row["epsilon"]
    }


def test_the_tables_have_it_of_each_round_and_client() -> None:
    tables = exported(ExportFormat.CSV)

    assert column(tables["rounds.csv"]) == {"2": str(OF_RUN)}
    assert column(tables["clients.csv"]) == {"2 client-1": str(OF_CLIENT)}


def test_tensorboard_has_it_of_the_model_and_of_each_client(tmp_path: Path) -> None:
    for path, content in exported(ExportFormat.TENSORBOARD).items():
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(content)

    def spent(folder: str) -> list[tuple[int, float]]:
        found = scalars(tmp_path / "tensorboard" / folder).get("privacy/epsilon", [])
        return [(step, value) for step, _, value in found]

    assert spent("global") == [(2, OF_RUN)]
    assert spent("client/client-1") == [(2, OF_CLIENT)]
    assert spent("client/client-2") == []


def test_the_report_says_it_of_the_run_each_client_and_each_round() -> None:
    [page] = exported(ExportFormat.HTML).values()
    text = page.decode()

    assert f"{OF_RUN} at δ 1e-05, per sample" in text
    assert re.search(rf"<tr><td>client-1</td>.*<td class=\"n\">{OF_CLIENT}</td>", text)
    assert re.search(rf"<tr><td class=\"n\">2</td>.*<td class=\"n\">{OF_RUN}</td>", text)
