"""What `Store` needs of a database: one way to read, one to write, and errors in words."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.store.salvage import read_json
from shared.errors import StoreUnavailable

ENGINE_OPTIONS: dict[str, Any] = {
    "hide_parameters": True,  # so that no value, and no secret, gets into a traceback
    "json_deserializer": read_json,  # one damaged value costs no more than its record
    "json_serializer": partial(json.dumps, allow_nan=False),  # NaN is no JSON, and no other reader takes it
}


class Database(ABC):
    """An open database. Reads from any thread; one thread at a time writes."""

    def __init__(self, name: str, reads: Engine, writes: Engine) -> None:
        """`name`: what messages call it. A transaction of `reads` sees one state of the database from its
        first statement on; one of `writes`, which has a single connection, is on the disk once committed."""
        self.name = name
        self._reads = reads
        self._writes = writes

    @abstractmethod
    def explain(self, error: DBAPIError) -> StoreUnavailable:
        """What is wrong with the database, in words."""

    def close(self) -> None:
        """Let go of all connections, and of the lock."""
        self._reads.dispose()
        self._writes.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. Raises StoreUnavailable."""
        with self._in_words(), self._reads.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: once it is left, all of it is on the disk, or after an exception none of it.

        Raises StoreUnavailable when the database cannot do it now. An exception that is about the values (the
        database refuses them, whenever) goes through as it is.
        """
        with self._in_words(), self._writes.begin() as connection:
            yield connection

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (DataError, IntegrityError):
            raise
        except DBAPIError as error:
            raise self.explain(error) from error
        except PoolTimeout as error:
            raise StoreUnavailable(
                f"{self.name} is asked for more at once than it can answer. Try again in a moment."
            ) from error
