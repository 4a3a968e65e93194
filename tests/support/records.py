"""Records as tests need them."""

from __future__ import annotations

import time
from typing import Any

from app.records import Client, ClientState, Run, RunState
from shared.proto.link_pb2 import Hello
from shared.run_spec import RunSpec
from shared.security.key_id import KeyId


def a_run(run_id: str = "7f3a9c01", **fields: Any) -> Run:
    """A queued run."""
    spec = fields.pop("spec", RunSpec())
    known = {"state": RunState.QUEUED, "spec": spec, "num_rounds": spec.num_rounds, "created_at": time.time()}
    return Run(id=run_id, **{**known, **fields})


A_KEY = str(KeyId(bytes(32)))


def a_client(client_id: str = "client-1", **fields: Any) -> Client:
    """An idle client with digits."""
    known: dict[str, Any] = {
        "state": ClientState.IDLE,
        "dataset": "digits",
        "models": ("cnn", "linear"),
        "host": "here",
        "device": "cpu",
        "connected_at": 1.0,
        "last_seen": 1.0,
    }
    return Client(id=client_id, **{**known, **fields})


def a_hello(client_id: str = "client-1", **fields: Any) -> Hello:
    """What such a client says first."""
    known: dict[str, Any] = {
        "protocol": 1,
        "process": "p1",
        "dataset": "digits",
        "models": ["cnn", "linear"],
        "host": "here",
        "device": "cpu",
    }
    return Hello(client_id=client_id, **{**known, **fields})
