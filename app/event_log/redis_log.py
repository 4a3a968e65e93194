"""RedisLog: the federation's events in a Redis stream, under their own numbers.

There is a stream for each start of the federation, since numbers of another start mean nothing. What Redis
loses when it starts again, dashboards get from the federation: it keeps no copy of anything that matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import redis
from pydantic import TypeAdapter, ValidationError
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from app.events import Event
from shared.errors import FedLoomError

KEPT = 20_000
"""Events at least, as many as the federation itself has in memory."""

FORGOTTEN_S = 3_600
"""A stream that nobody has added to for so long is dropped; whoever follows it misses nothing by that."""

MOST_READ = 1_000
CONNECT_S = 2.0
ANSWER_S = 5.0

EVENT: TypeAdapter[Event] = TypeAdapter(Event)


class RedisFails(FedLoomError):
    """Redis cannot be reached, or does not do what it is asked for."""


class RedisLog:
    """One thread adds or reads."""

    def __init__(self, url: str) -> None:
        """Nothing is connected yet. `url`: checked by `app/role_flags.py`."""
        parts = urlsplit(url)
        self.name = f"Redis at {parts.hostname}:{parts.port or 6379}" if parts.hostname else "Redis"
        self._redis: Any = redis.Redis.from_url(
            url,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 0),  # whoever uses this knows what to do meanwhile
        )

    def add(self, instance: str, events: Sequence[Event]) -> None:
        """Add events, unless they are there already. Raises RedisFails; then some may have been added."""
        key = _key(instance)
        with self._in_words():
            pipeline = self._redis.pipeline(transaction=False)
            for event in events:
                fields = {"event": event.model_dump_json()}
                pipeline.xadd(key, fields, id=f"{event.seq}-0", maxlen=KEPT, approximate=True)
            pipeline.expire(key, FORGOTTEN_S)
            for answer in pipeline.execute(raise_on_error=False):
                if isinstance(answer, Exception) and not _is_there_already(answer):
                    raise answer

    def read(self, instance: str, after: int, wait_s: float) -> list[Event]:
        """Events after a number, oldest first, once there are any; after `wait_s` none. There may be a gap
        before the first of them. Raises RedisFails."""
        with self._in_words():
            streams = self._redis.xread({_key(instance): f"{after}-0"}, MOST_READ, int(wait_s * 1000))
            return [EVENT.validate_json(fields[b"event"]) for _, entries in streams for _, fields in entries]

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except RedisError as error:
            raise RedisFails(f"{self.name} fails ({error})") from error
        except (ValidationError, LookupError, TypeError) as error:
            raise RedisFails(f"{self.name} has a stream that is not of this version of FedLoom") from error


def _key(instance: str) -> str:
    return f"fedloom:{instance}:events"


def _is_there_already(error: Exception) -> bool:
    return isinstance(error, ResponseError) and "equal or smaller" in str(error)
