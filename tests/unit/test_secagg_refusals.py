"""A server that lies: what it tries is refused by honest clients, each by its name, and no update is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from shared.secagg.agreement import AgreementKey
from shared.secagg.client import ClientSession
from shared.secagg.packing import Learned
from shared.secagg.refusal import Refused, Rule
from shared.secagg.session import RoundKeys
from shared.secagg.settings import SecureAggregation
from shared.security.key_id import KeyId
from tests.support.secagg import (
    MODEL,
    Federation,
    key_of,
    member,
    session_of,
)


def federation(clients: int = 5, settings: SecureAggregation | None = None) -> Federation:
    return Federation([np.full(3, 0.1 * node) for node in range(clients)], [10] * clients, settings)


def refused(rule: Rule, attempt: Callable[[], object]) -> str:
    """The words with which a client refuses it by this rule."""
    with pytest.raises(Refused) as caught:
        attempt()
    assert caught.value.rule is rule
    return str(caught.value)


def after(federation: Federation, *steps: str) -> Federation:
    for step in steps:
        getattr(federation, step)()
    return federation


class TestKeys:
    def test_a_mask_key_in_place_of_anothers(self) -> None:
        told = after(federation(), "advertise")
        keys = dict(told.server.keys)
        keys[2] = replace(keys[2], mask_key=AgreementKey.make().public)
        words = refused(Rule.KEYS, lambda: told.clients[1].share(list(keys.values())))
        assert words == "the keys of 'client-2' are not signed by it for this round"

    def test_keys_that_the_server_signs_itself_under_a_name_that_is_known(self) -> None:
        known = {f"client-{node}": key_of(node).public.id for node in range(1, 6)}

        def require_known(others: Mapping[str, KeyId]) -> None:
            for name, key in others.items():
                if known[name] != key:
                    raise Refused(Rule.KEYS, f"{name} has another key than before")

        told = after(federation(), "advertise")
        client = ClientSession(told.session, member(1, require_genuine=require_known), MODEL)
        own = client.advertise()
        forged = replace(told.server.keys[2], identity=key_of(99).public.der).signed(told.session, key_of(99))
        keys = [own, forged, *(told.server.keys[node] for node in (3, 4, 5))]
        assert refused(Rule.KEYS, lambda: client.share(keys)) == "client-2 has another key than before"

    def test_one_identity_under_two_names(self) -> None:
        told = after(federation(), "advertise")
        twin = replace(told.server.keys[2], client_id="client-3").signed(told.session, key_of(2))
        keys = {**told.server.keys, 3: twin}
        assert "twice" in refused(Rule.KEYS, lambda: told.clients[1].share(list(keys.values())))

    def test_a_client_that_was_not_asked(self) -> None:
        told = after(federation(4), "advertise")
        stranger = ClientSession(session_of(9), member(9), MODEL).advertise()
        keys = [*told.server.keys.values(), stranger]
        refused(Rule.KEYS, lambda: told.clients[1].share(keys))

    def test_keys_of_another_session(self) -> None:
        told, before = after(federation(), "advertise"), Federation([np.zeros(3)] * 5, [1] * 5)
        before.session = session_of(5, nonce=b"o" * 32)
        old = ClientSession(before.session, member(2), MODEL).advertise()
        keys = {**told.server.keys, 2: old}
        refused(Rule.KEYS, lambda: told.clients[1].share(list(keys.values())))

    def test_a_list_without_this_clients_own(self) -> None:
        told = after(federation(), "advertise")
        keys = [keys for node, keys in told.server.keys.items() if node != 1]
        assert "own" in refused(Rule.KEYS, lambda: told.clients[1].share(keys))


class TestModels:
    def test_another_model_for_another_client(self) -> None:
        told = federation()
        told.clients[2].model = b"x" * 32
        keys: list[RoundKeys] = [client.advertise() for client in told.clients.values()]
        words = refused(Rule.MODEL, lambda: told.clients[1].share(keys))
        assert words.startswith("client-2 was sent another global model")

    def test_another_model_than_was_announced(self) -> None:
        told = after(federation(), "advertise", "share")
        server = told.server
        refused(
            Rule.MODEL,
            lambda: told.clients[1].open_boxes(b"x" * 32, server.sharers, server.boxes_for(1)),
        )


class TestCohorts:
    def test_a_threshold_at_two_thirds(self) -> None:
        lowered = SecureAggregation.model_construct(**{**dict(SecureAggregation()), "threshold": 2 / 3})
        client = ClientSession(session_of(5, lowered), member(1), MODEL)
        assert "must be above two thirds" in refused(Rule.THRESHOLD, client.advertise)

    def test_fewer_clients_than_the_site_wants(self) -> None:
        client = ClientSession(session_of(5), member(1, minimum=6), MODEL)
        words = refused(Rule.COHORT, client.advertise)
        assert words == "5 clients are asked, and this one takes part among 6 at least"

    def test_two_clients(self) -> None:
        client = ClientSession(session_of(2), member(1, minimum=1), MODEL)
        assert "among 3 at least" in refused(Rule.COHORT, client.advertise)

    def test_a_cohort_that_names_one_client_twice(self) -> None:
        session = replace(session_of(3), cohort=(1, 2, 2))
        refused(Rule.COHORT, ClientSession(session, member(1), MODEL).advertise)

    def test_a_cohort_that_shrinks_below_what_the_site_wants(self) -> None:
        told = federation()
        told.clients[1] = ClientSession(told.session, member(1, minimum=5), MODEL)
        after(told, "advertise")
        keys = [keys for node, keys in told.server.keys.items() if node != 5]
        assert "4 clients have sent keys" in refused(Rule.COHORT, lambda: told.clients[1].share(keys))

    def test_neighbours_that_are_said_to_be_gone(self) -> None:
        told = after(federation(), "advertise", "share")
        refused(Rule.SURVIVORS, lambda: told.clients[1].open_boxes(MODEL, {1, 2, 3}, {}))

    def test_survivors_that_never_shared(self) -> None:
        told = after(federation(), "advertise", "share")
        refused(Rule.SURVIVORS, lambda: told.clients[1].open_boxes(MODEL, {1, 2, 3, 4, 5, 6}, {}))


class TestShares:
    def test_a_box_for_another_client(self) -> None:
        told = after(federation(), "advertise", "share")
        boxes = told.server.boxes_for(3)
        boxes[4], sharers = told.server.boxes_for(2)[4], told.server.sharers
        words = refused(Rule.SHARES, lambda: told.clients[3].open_boxes(MODEL, sharers, boxes))
        assert words == "the shares of client-4 were not made for this client in this session"

    def test_a_box_of_another_session(self) -> None:
        before = after(federation(), "advertise", "share")
        told = after(federation(), "advertise", "share")
        boxes = {**told.server.boxes_for(1), 2: before.server.boxes_for(1)[2]}
        refused(Rule.SHARES, lambda: told.clients[1].open_boxes(MODEL, told.server.sharers, boxes))

    def test_shares_asked_for_twice(self) -> None:
        told = after(federation(), "advertise", "share", "mask", "confirm", "reveal")
        server = told.server
        refused(
            Rule.TWICE,
            lambda: told.clients[1].reveal(server.survivors - {2}, {2}, server.confirmations),
        )

    @pytest.mark.parametrize("client", [1, 5])
    def test_a_client_that_is_alive_and_dead(self, client: int) -> None:
        told = after(federation(), "advertise", "share", "mask", "confirm")
        server = told.server
        words = refused(
            Rule.SURVIVORS,
            lambda: told.clients[client].reveal(server.survivors, {2}, server.confirmations),
        )
        assert "alive and dead" in words


class TestSurvivors:
    def test_a_list_that_others_have_not_confirmed(self) -> None:
        told = after(federation(), "advertise", "share", "mask")
        lies = {
            node: client.confirm({1, 2, 3, 4}) for node, client in told.clients.items() if node in (2, 3, 4)
        }
        told.clients[1].confirm({1, 2, 3, 4, 5})
        words = refused(Rule.SURVIVORS, lambda: told.clients[1].reveal({1, 2, 3, 4, 5}, (), lies))
        assert "has not signed the list" in words

    def test_too_few_confirmations(self) -> None:
        told = after(federation(), "advertise", "share", "mask", "confirm")
        server = told.server
        few = {node: server.confirmations[node] for node in (1, 2)}
        refused(Rule.SURVIVORS, lambda: told.clients[1].reveal(server.survivors, (), few))

    def test_other_lists_than_were_confirmed(self) -> None:
        told = after(federation(), "advertise", "share", "mask", "confirm")
        refused(
            Rule.SURVIVORS,
            lambda: told.clients[1].reveal({1, 2, 3, 4}, {5}, told.server.confirmations),
        )

    def test_a_list_without_the_client_itself(self) -> None:
        told = after(federation(), "advertise", "share", "mask")
        refused(Rule.SURVIVORS, lambda: told.clients[1].confirm({2, 3, 4, 5}))

    def test_a_list_with_one_who_shared_nothing(self) -> None:
        told = federation()
        told.advertise()
        told.leave([5])
        after(told, "share", "mask")
        refused(Rule.SURVIVORS, lambda: told.clients[1].confirm({1, 2, 3, 4, 5}))


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.share([]),
        lambda client: client.open_boxes(MODEL, (), {}),
        lambda client: client.add_masks(Learned(np.zeros(3), 1)),
        lambda client: client.confirm(()),
        lambda client: client.reveal((), (), {}),
    ],
)
def test_a_step_before_its_turn_is_refused(ask: Callable[[ClientSession], object]) -> None:
    refused(Rule.ORDER, lambda: ask(federation().clients[1]))


def test_a_step_is_taken_once() -> None:
    told = after(federation(), "advertise", "share", "mask")
    client = told.clients[1]
    for ask in (
        client.advertise,
        lambda: client.share([]),
        lambda: client.add_masks(Learned(np.zeros(3), 1)),
    ):
        refused(Rule.ORDER, ask)
