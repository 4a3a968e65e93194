"""What is generated and committed is what would be generated now."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.run_tables import GENERATED, with_tables
from shared.proto.generate import SCHEMAS, generate

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.filterwarnings("ignore")  # protoc's own imports
def test_the_code_of_each_schema_is_what_would_be_generated(tmp_path: Path) -> None:
    assert generate(ROOT, tmp_path) == 0, "run python -m shared.proto.generate"
    for schema in SCHEMAS:
        for ending in ("_pb2.py", "_pb2.pyi"):
            name = schema.replace(".proto", ending)
            fresh = (tmp_path / name).read_text(encoding="utf-8")
            committed = (ROOT / name).read_text(encoding="utf-8")
            assert committed == fresh, f"{name} is not up to date: run python -m shared.proto.generate"


def test_the_front_end_has_the_current_api_document() -> None:
    committed = (ROOT / "app" / "frontend" / "openapi.json").read_text(encoding="utf-8")

    command = [sys.executable, "-m", "app.api"]
    fresh = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert committed == fresh, "run python -m app.api > app/frontend/openapi.json"


def test_the_command_that_writes_them_brings_the_documents_up_to_date(tmp_path: Path) -> None:
    for name, (part, _) in GENERATED.items():
        outdated = part.sub("of long ago\n", (ROOT / name).read_text(encoding="utf-8"))
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(outdated, encoding="utf-8")

    command = [sys.executable, "-m", "app.run_tables"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)

    for name in GENERATED:
        assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GENERATED)
def test_what_the_documents_say_of_a_runs_settings_is_so(name: str) -> None:
    committed = (ROOT / name).read_text(encoding="utf-8")

    assert with_tables(name, committed) == committed, "run python -m app.run_tables"


@pytest.mark.parametrize("name", GENERATED)
def test_a_document_without_its_generated_part_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        with_tables(name, "nothing")
