"""SignedModel: a global model is proved by the server's signature, whoever it comes from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.offline.signed_model import ModelUnproven, SignedModel
from shared.security.keys import BadSignature
from tests.support.sealing import SERVER, a_key
from tests.support.signed_models import GENERATION_HERE, RUN_ID, a_signed_model, a_work

SERVERS = [a_key(SERVER).public.id]


@pytest.mark.parametrize(
    ("kind", "server_round", "after"), [("train", 4, 3), ("evaluate", 4, 4), ("train.mesh", 1, 0)]
)
def test_it_is_that_after_the_round_before_the_training_and_of_the_evaluation(
    kind: str, server_round: int, after: int
) -> None:
    model = a_signed_model(a_key(SERVER), a_key("a"), kind=kind, server_round=server_round)

    assert (model.base.run, model.base.generation) == (f"{RUN_ID:08x}", GENERATION_HERE)
    assert model.base.round == after
    assert model.weights()["w"].tolist() == [1.0, 1.0, 1.0]


def test_the_same_model_has_the_same_digest_whatever_it_came_for() -> None:
    trained = a_signed_model(a_key(SERVER), a_key("a"), kind="train", server_round=4)
    evaluated = a_signed_model(a_key(SERVER), a_key("b"), kind="evaluate", server_round=3)

    assert trained.base == evaluated.base


def test_another_client_can_verify_it() -> None:
    model = a_signed_model(a_key(SERVER), a_key("a"), merged=(1, 2))

    passed_on = SignedModel.parse(model.encoded(), SERVERS, RUN_ID)

    assert passed_on.base == model.base
    assert passed_on.merged == {1, 2}
    assert passed_on.weights()["w"].tolist() == [1.0, 1.0, 1.0]


def test_a_server_without_the_mesh_sends_none() -> None:
    work, _ = a_work(a_key(SERVER), a_key("a"), generation=None)

    assert SignedModel.of(work) is None


@pytest.mark.parametrize(("by", "run_id"), [("an impostor", RUN_ID), (SERVER, RUN_ID + 1)])
def test_one_of_another_server_or_run_is_refused(by: str, run_id: int) -> None:
    model = a_signed_model(a_key(by), a_key("a"))

    with pytest.raises(ModelUnproven, match="another"):
        SignedModel.parse(model.encoded(), SERVERS, run_id)


@given(place=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_bit_of_it_can_be_changed_so_that_it_is_another(place: int, bit: int) -> None:
    model = a_signed_model(a_key(SERVER), a_key("a"))
    data = bytearray(model.encoded())
    data[place % len(data)] ^= 1 << bit

    try:
        found = SignedModel.parse(bytes(data), SERVERS, RUN_ID)
    except (ModelUnproven, BadSignature):
        return
    assert found == model, "such as by a bit that base64 does not use"


@given(st.binary(max_size=200))
def test_whatever_else_comes_is_refused(data: bytes) -> None:
    with pytest.raises((ModelUnproven, BadSignature)):
        SignedModel.parse(data, SERVERS, RUN_ID)
