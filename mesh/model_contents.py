"""Models as content of the mesh: offered to whom they were promised, fetched and checked from others."""

from __future__ import annotations

import asyncio

from mesh.files.reading import BytesSource
from mesh.learning.arrays import Arrays, encoded
from mesh.learning.checks import ModelCheck, Refused
from mesh.learning.transfers import Outcome
from mesh.node import CHUNK_BYTES, Content, ContentUnavailable, Mesh
from shared.security.key_id import KeyId


async def offer_model(mesh: Mesh, model: Arrays) -> Content:
    """Offer a model's bytes, which stay in memory until they are withdrawn."""
    data = await asyncio.to_thread(encoded, model)
    return await mesh.offer(BytesSource(data), len(data))


async def fetch_model(
    mesh: Mesh, content: Content, holder: KeyId, check: ModelCheck, own: Arrays, limit_s: float
) -> Arrays:
    """A peer's model, compared with one's own. Raises Refused, also where its bytes do not come in time."""
    data = bytearray(content.size)

    def store(place: int, chunk: bytes) -> None:
        data[place * CHUNK_BYTES : place * CHUNK_BYTES + len(chunk)] = chunk

    try:
        async with asyncio.timeout(limit_s):
            await mesh.fetch(content, [holder], store)
    except (ContentUnavailable, TimeoutError) as error:
        raise Refused(Outcome.UNAVAILABLE) from error
    return await asyncio.to_thread(check.require_usable, bytes(data), own)
