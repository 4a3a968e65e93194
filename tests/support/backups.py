"""Backups that are made and restored in this process, of a store with a run that has ended."""

from __future__ import annotations

from pathlib import Path

import app.backup
import app.restore
from app.events import event_of
from app.records import RoundUpdate, Run
from app.store.store import Store
from tests.support.exports import a_finished_run

RUN, ROUNDS = a_finished_run()


def fill(store: Store) -> None:
    records: list[Run | RoundUpdate] = [RUN, *(RoundUpdate(run_id=RUN.id, round=each) for each in ROUNDS)]
    store.apply([event_of(number, 1.0, record) for number, record in enumerate(records, 1)])


def write_passphrase(path: Path, text: str) -> Path:
    path.write_text(f"{text}\n")
    path.chmod(0o600)
    return path


def backup(file: Path, passphrase: Path, *more: str) -> int:
    return app.backup.main([str(file), "--passphrase-file", str(passphrase), *more])


def restore(file: Path, folder: Path, passphrase: Path, *more: str) -> int:
    return app.restore.main([str(file), str(folder), "--passphrase-file", str(passphrase), *more])


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
