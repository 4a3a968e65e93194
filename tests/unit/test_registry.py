"""Who is connected: in natural order, with what is remembered of a client that comes back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.event_bus import EventBus
from app.federation.link.clients import ClientRegistry
from app.records import Client, ClientProgress, ClientState
from shared.natural_order import natural_key
from tests.support.records import A_KEY, a_hello


def registry_of(*client_ids: str) -> tuple[ClientRegistry, EventBus]:
    bus = EventBus()
    registry = ClientRegistry(bus)
    for client_id in client_ids:
        registry.connected(a_hello(client_id), A_KEY)
    return registry, bus


def known(registry: ClientRegistry, client_id: str) -> Client:
    client = registry.get(client_id)
    assert client is not None
    return client


def test_clients_are_in_natural_order() -> None:
    registry, _ = registry_of("client-10", "client-2", "b", "client-1", "a9", "a10")

    order = [client.id for client in registry.snapshot()]

    assert order == ["a9", "a10", "b", "client-1", "client-2", "client-10"]


@given(st.lists(st.text(max_size=12), max_size=8))
def test_any_ids_can_be_ordered(ids: list[str]) -> None:
    assert sorted(sorted(ids, key=natural_key)) == sorted(ids)


def test_a_new_client_is_idle() -> None:
    registry, _ = registry_of("a")

    client = known(registry, "a")

    assert (client.state, client.dataset, client.models) == (ClientState.IDLE, "digits", ("cnn", "linear"))
    assert client.connected_at == client.last_seen


def test_a_client_that_comes_back_keeps_its_results_and_part_but_not_its_task() -> None:
    registry, _ = registry_of("a")
    progress = ClientProgress(done=1, total=2, examples_per_s=3.0)
    registry.update("a", partition=1, num_partitions=3, samples=90, accuracy=0.9, loss=0.2, train_loss=0.1)
    registry.update("a", state=ClientState.TRAINING, round=4, progress=progress)

    registry.lost("a")
    gone = known(registry, "a")
    registry.connected(a_hello("a", host="elsewhere"), A_KEY)
    back = known(registry, "a")

    assert (gone.state, gone.round, gone.progress) == (ClientState.LOST, None, None)
    assert (gone.accuracy, gone.partition) == (0.9, 1)
    assert (back.state, back.round, back.progress, back.host) == (ClientState.IDLE, None, None, "elsewhere")
    assert (back.partition, back.num_partitions, back.samples) == (1, 3, 90)
    assert (back.accuracy, back.loss, back.train_loss) == (0.9, 0.2, 0.1)


def test_lost_and_connected_clients_are_counted() -> None:
    registry, _ = registry_of("a", "b", "c")
    registry.lost("b")

    counts = registry.counts()

    assert (counts.connected, counts.lost) == (2, 1)


def test_traffic_is_told_with_what_is_published_anyway_and_outlasts_a_connection() -> None:
    registry, bus = registry_of("a")
    before = bus.last
    traffic = registry.traffic("a")
    traffic.sent, traffic.received = 20, 300
    assert bus.last == before
    registry.settled("a")
    settled = known(registry, "a")
    traffic.received = 500
    registry.lost("a")
    registry.connected(a_hello("a", dataset="mnist"), A_KEY)
    back = known(registry, "a")

    assert (settled.bytes_sent, settled.bytes_received) == (20, 300)
    assert (back.bytes_sent, back.bytes_received) == (20, 500)


def test_traffic_of_one_that_is_forgotten_is_that_of_nobody() -> None:
    registry, _ = registry_of("a")
    registry.traffic("a").received = 300
    registry.forget("a")
    registry.connected(a_hello("a"), A_KEY)

    assert known(registry, "a").bytes_received == 0


def test_a_change_is_published_once_and_no_change_not_at_all() -> None:
    registry, bus = registry_of("a")
    before = bus.last

    registry.update("a", samples=5)
    registry.update("a", samples=5)

    assert bus.last == before + 1


def test_a_sign_of_life_is_kept_but_not_published() -> None:
    registry, bus = registry_of("a")
    before, seen_before = bus.last, known(registry, "a").last_seen

    registry.seen("a")

    assert known(registry, "a").last_seen >= seen_before
    assert bus.last == before


def test_listeners_hear_of_coming_and_going_until_they_leave() -> None:
    registry, _ = registry_of()
    heard: list[int] = []

    def listener() -> None:
        heard.append(len(registry.snapshot()))

    registry.on_membership(listener)
    registry.connected(a_hello("a"), A_KEY)
    registry.connected(a_hello("b"), A_KEY)
    registry.lost("a")
    registry.off_membership(listener)
    registry.connected(a_hello("c"), A_KEY)

    assert heard == [1, 2, 2]


def test_a_snapshot_does_not_change_afterwards() -> None:
    registry, _ = registry_of("a")
    snapshot = registry.snapshot()

    registry.lost("a")

    assert snapshot[0].state is ClientState.IDLE
