"""What was learned without the server waits for it, where others have a newer model from it already."""

from __future__ import annotations

import asyncio

import pytest

from client.offline import learning
from tests.support.sealing import SERVER, a_key
from tests.support.signed_models import a_signed_model
from tests.unit.test_offline_learning import Client, clients


async def learns_and_hears_of_a_newer_model(client: Client) -> None:
    """As where a network is whole again, and the mesh is faster than the link."""
    client.learning.disconnected()
    await client.has_learned(2)
    client.memory.saw(a_signed_model(a_key(SERVER), a_key("b"), kind="evaluate", server_round=4))
    client.learning.look()
    await client.has_ended()


def test_it_is_contributed_when_the_server_is_back() -> None:
    async def scene() -> None:
        async with clients("a", "b") as (client, _):
            await learns_and_hears_of_a_newer_model(client)
            progress = client.learning.progress
            assert progress is not None
            client.learning.connected()
            _, told = client.contributes()
            assert (told.base_round, told.mesh_rounds) == (3, progress.rounds)
            assert client.first_rounds == [3], "it has not begun anew"

    asyncio.run(scene())


def test_the_newer_model_takes_its_place_when_the_server_is_not_back_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learning, "HAND_OVER_S", 0.3)

    async def scene() -> None:
        async with clients("a", "b") as (client, _):
            await learns_and_hears_of_a_newer_model(client)
            await client.until(
                lambda: (now := client.learning.progress) is not None and now.base.round == 4, "from there"
            )
            assert client.first_rounds == [3, 4]

    asyncio.run(scene())
