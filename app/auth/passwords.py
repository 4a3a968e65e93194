"""Passwords: kept as scrypt has them (RFC 7914), two at a time, each a good tenth of a second's work."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from shared.errors import SettingsInvalid

T = TypeVar("T")

COST = 1 << 15
BLOCK = 8
PARALLEL = 3
"""N, r and p of scrypt: 32 MiB, three times over, as OWASP has it."""

SALT_BYTES = 16
HASH_BYTES = 32
SHORTEST = 10
LONGEST = 1_000

AT_ONCE = 2
WAITING = 16
"""So many wait for their turn at most; who comes then is told to come again."""


class TooBusy(Exception):
    """More passwords are to be checked than is good for the server."""


def check_strength(password: str) -> str:
    """The password, if it will do. Raises SettingsInvalid."""
    if len(password) < SHORTEST:
        raise SettingsInvalid(f"a password has at least {SHORTEST} characters", "password")
    if len(password) > LONGEST:
        raise SettingsInvalid(f"a password has at most {LONGEST:,} characters", "password")
    return password


def hash_password(password: str) -> str:
    """What is kept of a password. Takes long."""
    salt = secrets.token_bytes(SALT_BYTES)
    hashed = _scrypt(password, salt, COST, BLOCK, PARALLEL)
    return f"scrypt${COST}${BLOCK}${PARALLEL}${salt.hex()}${hashed.hex()}"


def is_password(password: str, kept: str | None) -> bool:
    """Whether it is the password of which this is kept. Takes as long where none is: nobody can tell a name
    that exists by the time."""
    name, cost, block, parallel, salt, hashed = (kept or _OF_NOBODY).split("$")
    if name != "scrypt":
        raise ValueError(f"a password is kept in an unknown way: {name}")
    found = _scrypt(password, bytes.fromhex(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(found, bytes.fromhex(hashed)) and kept is not None


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    # The same password typed on another keyboard may come as other code points.
    typed = unicodedata.normalize("NFKC", password).encode(errors="surrogatepass")
    memory = 128 * block * (cost + parallel + 2) + (1 << 20)
    return hashlib.scrypt(typed, salt=salt, n=cost, r=block, p=parallel, maxmem=memory, dklen=HASH_BYTES)


_OF_NOBODY = f"scrypt${COST}${BLOCK}${PARALLEL}${'00' * SALT_BYTES}${'00' * HASH_BYTES}"


class PasswordWorkers:
    """Threads of their own for what takes long: the web server's would stand still under eventlet."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")
        self._room = threading.BoundedSemaphore(AT_ONCE + WAITING)

    def check(self, password: str, kept: str | None) -> Future[bool]:
        """As `is_password`. Raises TooBusy."""
        return self._submit(lambda: is_password(password, kept))

    def hash(self, password: str) -> Future[str]:
        """As `hash_password`. Raises TooBusy."""
        return self._submit(lambda: hash_password(password))

    def close(self) -> None:
        """Give up what has not begun."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _submit(self, work: Callable[[], T]) -> Future[T]:
        if not self._room.acquire(blocking=False):
            raise TooBusy
        future = self._executor.submit(work)
        future.add_done_callback(lambda _: self._room.release())
        return future
