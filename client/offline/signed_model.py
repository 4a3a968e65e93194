"""SignedModel: a global model with the server's signature, which proves it to other clients as well.

The server has signed the message that brought it, for one client: that message's id, round and client, its
skeleton, which has the run's generation in it, and the hash of the arrays. Whoever has these and the server's
key can check it, whoever it comes from.
"""

from __future__ import annotations

import math
import struct
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from flwr.app import ArrayRecord, ConfigRecord
from numpy.typing import NDArray

from client.sealing import Origin
from client.work import Work
from mesh.learning.base import Base
from shared.app_host import codec
from shared.app_host.codec import CodecError
from shared.canonical import canonical, from_canonical
from shared.errors import FedLoomError
from shared.mesh_contribution import GENERATION, MAX_NUMBER, MERGED
from shared.payload import MAX_ARRAYS, MAX_SKELETON_BYTES
from shared.results import records_of
from shared.run_spec import MAX_ROUNDS
from shared.security.digest import Digests, digest_of
from shared.security.key_id import KeyId
from shared.security.keys import PublicKey
from shared.security.seals import Instructed

_HEAD = struct.Struct("!I")
MAX_HEAD_BYTES = 4 << 20

_BEFORE = {"train": 1, "evaluate": 0}
"""How many rounds a message's round is after the one whose model it brings, by the kind of message."""


class ModelUnproven(FedLoomError):
    """Bytes that a peer has sent are no global model of the run, or the server has not signed them."""


@dataclass(frozen=True)
class SignedModel:
    """A global model, and what proves it.

    `base` says which one it is; `merged`, what is in it from the mesh, by the numbers of contributions;
    `proximal_mu` is FedProx's, where it came with a message that asks to train.
    """

    origin: Origin
    skeleton: bytes
    arrays: tuple[bytes, ...]
    base: Base
    merged: frozenset[int]
    proximal_mu: float | None

    @classmethod
    def of(cls, work: Work) -> Self | None:
        """The one in a message that has come over the link and was verified there; None: it has none, or it
        is of a server without the mesh."""
        if work.origin is None:
            return None
        skeleton, arrays = work.payload.skeleton(), tuple(work.payload.arrays())
        try:
            return cls._read(work.origin, skeleton, arrays)
        except ModelUnproven:
            return None

    @classmethod
    def parse(cls, data: bytes, servers: Collection[KeyId], run_id: int | None = None) -> Self:
        """The inverse of `encoded`, verified: one of these servers has signed it, for any client, in this run
        (None: in any).

        Raises ModelUnproven, and BadSignature.
        """
        try:
            origin, skeleton, arrays = _parts(data)
        except (ValueError, KeyError, TypeError, struct.error, FedLoomError) as error:
            raise ModelUnproven(f"What came as a global model cannot be read: {error}") from error
        if origin.server.id not in servers:
            raise ModelUnproven("The global model is signed by another server than this client's.")
        if run_id not in (None, origin.instructed.run_id):
            raise ModelUnproven("The global model is of another run.")
        origin.server.verify(origin.signature, origin.instructed.statement())
        return cls._read(origin, skeleton, arrays)

    def encoded(self) -> bytes:
        """As it goes to other clients."""
        instructed = self.origin.instructed
        head = canonical(
            {
                "array_bytes": [len(array) for array in self.arrays],
                "client": str(instructed.client),
                "message": instructed.message_id,
                "round": instructed.round,
                "run": instructed.run_id,
                "server": b64encode(self.origin.server.der).decode(),
                "signature": b64encode(self.origin.signature).decode(),
                "skeleton_bytes": len(self.skeleton),
            }
        )
        return b"".join([_HEAD.pack(len(head)), head, self.skeleton, *self.arrays])

    @property
    def size(self) -> int:
        """Bytes of the message that brought it."""
        return len(self.skeleton) + sum(map(len, self.arrays))

    @cached_property
    def record(self) -> ArrayRecord:
        """The arrays, as Flower has them."""
        arrays = records_of(codec.decode(self.skeleton, self.arrays).content, ArrayRecord)
        return arrays["arrays"]

    def weights(self) -> dict[str, NDArray[Any]]:
        """The arrays by name; nobody else's."""
        return {name: np.array(array.numpy()) for name, array in self.record.items()}

    @classmethod
    def _read(cls, origin: Origin, skeleton: bytes, arrays: tuple[bytes, ...]) -> Self:
        """What the message says of its model. Raises ModelUnproven."""
        try:
            message, places = codec.decode_unopened(skeleton, len(arrays))
        except CodecError as error:
            raise ModelUnproven(f"What came as a global model is none: {error}") from error
        config = records_of(message.content, ConfigRecord).get("config", ConfigRecord())
        generation = _number(config, GENERATION, 1, MAX_NUMBER)
        before = _BEFORE.get(message.metadata.message_type.partition(".")[0])
        if {place.record for place in places} != {"arrays"} or before is None:
            raise ModelUnproven("The message brings no global model.")
        server_round = _number(config, "server-round", before, MAX_ROUNDS)
        mu = config.get("proximal-mu")
        base = Base(
            run=f"{origin.instructed.run_id:08x}",
            generation=generation,
            round=server_round - before,
            digest=origin.instructed.digests.arrays,
        )
        proximal_mu = mu if isinstance(mu, float) and 0 <= mu < math.inf else None
        return cls(origin, skeleton, arrays, base, frozenset(_merged_in(config)), proximal_mu)


def _merged_in(config: ConfigRecord) -> list[int]:
    merged = config.get(MERGED, [])
    return [number for number in merged if isinstance(number, int)] if isinstance(merged, list) else []


def _number(config: ConfigRecord, key: str, least: int, most: int) -> int:
    value = config.get(key)
    if type(value) is not int or not least <= value <= most:
        raise ModelUnproven("The message does not say which global model it brings.")
    return value


def _parts(data: bytes) -> tuple[Origin, bytes, tuple[bytes, ...]]:
    (size,) = _HEAD.unpack_from(data)
    if size > MAX_HEAD_BYTES:
        raise ValueError("its head is too long")
    start = _HEAD.size + size
    head: Mapping[str, Any] = from_canonical(data[_HEAD.size : start])
    lengths = [int(length) for length in head["array_bytes"]]
    skeleton_bytes = int(head["skeleton_bytes"])
    if (
        not 0 <= skeleton_bytes <= MAX_SKELETON_BYTES
        or len(lengths) > MAX_ARRAYS
        or min(lengths, default=0) < 0
    ):
        raise ValueError("its parts have sizes that no message has")
    if start + skeleton_bytes + sum(lengths) != len(data):
        raise ValueError("its parts are not all of it")
    skeleton = data[start : start + skeleton_bytes]
    arrays = []
    place = start + skeleton_bytes
    for length in lengths:
        arrays.append(data[place : place + length])
        place += length
    instructed = Instructed(
        int(head["run"]),
        int(head["round"]),
        str(head["message"]),
        KeyId.parse(head["client"]),
        Digests(digest_of([skeleton]), digest_of(arrays)),
    )
    server = PublicKey(b64decode(head["server"], validate=True))
    return Origin(server, instructed, b64decode(head["signature"], validate=True)), skeleton, tuple(arrays)
