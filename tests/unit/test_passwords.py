"""What is kept of passwords, and that it takes its time in threads of its own."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.auth import passwords
from app.auth.passwords import (
    AT_ONCE,
    LONGEST,
    SHORTEST,
    WAITING,
    PasswordWorkers,
    TooBusy,
    check_strength,
    hash_password,
    is_password,
)
from shared.errors import SettingsInvalid


@settings(max_examples=5)
@given(st.text(min_size=SHORTEST, max_size=40), st.text(max_size=40))
def test_only_the_same_password_is_taken(password: str, other: str) -> None:
    kept = hash_password(password)

    assert is_password(password, kept)
    assert other == password or not is_password(other + "\u2603", kept)


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert hash_password("correct horse") != hash_password("correct horse")


def test_it_is_the_same_however_the_keyboard_composes_it() -> None:
    assert is_password("caf\u00e9 au lait", hash_password("cafe\u0301 au lait"))


def test_for_a_name_that_does_not_exist_the_same_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[int, int, int]] = []
    scrypt = passwords._scrypt

    def noting(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
        done.append((cost, block, parallel))
        return scrypt(password, salt, cost, block, parallel)

    kept = hash_password("correct horse")
    monkeypatch.setattr(passwords, "_scrypt", noting)

    assert not is_password("a guess", None)
    assert not is_password("a guess", kept)
    assert done[0] == done[1]


@pytest.mark.parametrize("password", ["", "x" * (SHORTEST - 1), "x" * (LONGEST + 1)])
def test_too_short_and_too_long_ones_are_refused(password: str) -> None:
    with pytest.raises(SettingsInvalid):
        check_strength(password)


def test_no_more_than_two_are_worked_on_and_no_more_than_some_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    working = threading.Semaphore(0)

    def slow(password: str) -> str:
        working.release()
        go.wait()
        return password

    monkeypatch.setattr(passwords, "hash_password", slow)
    workers = PasswordWorkers()
    taken = [workers.hash("correct horse") for _ in range(AT_ONCE + WAITING)]
    for _ in range(AT_ONCE):
        working.acquire()

    with pytest.raises(TooBusy):
        workers.hash("correct horse")
    assert not working.acquire(blocking=False)  # nobody else's turn has come
    go.set()
    assert {future.result() for future in taken} == {"correct horse"}
    workers.hash("correct horse").result()
    workers.close()
