"""Global models as a client has them from its server: in a message that the server has sealed for it."""

from __future__ import annotations

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, RecordDict

from client.offline.signed_model import SignedModel
from client.sealing import Origin
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.flower import encode, identify_server_task, set_message_id
from shared.mesh_contribution import GENERATION, MERGED
from shared.security.digest import Digests, digest_of
from shared.security.keys import KeyPair
from shared.security.seals import Instructed
from tests.support.payloads import payload_of

RUN_ID = 7
GENERATION_HERE = 1 << 32 | 5
MESSAGE_ID = "message-1"


def a_work(
    server: KeyPair,
    client: KeyPair,
    *,
    kind: str = "train",
    server_round: int = 4,
    generation: int | None = GENERATION_HERE,
    value: float = 1.0,
    merged: tuple[int, ...] = (),
    run_id: int = RUN_ID,
) -> tuple[Work, list[Serialised]]:
    """A message with a global model that has come over the link; and the replies that it gets."""
    identify_server_task(run_id)
    config = ConfigRecord({"server-round": server_round})
    if generation is not None:
        config[GENERATION] = generation
    if merged:
        config[MERGED] = list(merged)
    arrays = ArrayRecord({"w": Array(np.full(3, value, np.float32))})
    message = Message(RecordDict({"arrays": arrays, "config": config}), 5, kind, group_id=str(server_round))
    set_message_id(message, MESSAGE_ID)
    serialised = encode(message)
    digests = Digests(digest_of([serialised.skeleton]), digest_of(serialised.arrays))
    instructed = Instructed(run_id, server_round, MESSAGE_ID, client.public.id, digests)
    origin = Origin(server.public, instructed, server.sign(instructed.statement()))
    replies: list[Serialised] = []
    work = Work(
        MESSAGE_ID,
        payload_of(serialised),
        reply=lambda _, reply: replies.append(reply),
        fail=lambda *_: None,
        progress=lambda _: None,
        released=lambda _: None,
        labels=lambda _: None,
        decline=lambda *_: None,
        held=lambda *_: None,
        origin=origin,
    )
    return work, replies


def a_signed_model(server: KeyPair, client: KeyPair, **changes: object) -> SignedModel:
    """A global model as a client keeps it."""
    work, _ = a_work(server, client, **changes)  # type: ignore[arg-type]
    model = SignedModel.of(work)
    assert model is not None
    return model
