"""The key that says how many rounds an app runs is found where its name shows it, else named by a person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import RoundsKeyInvalid
from shared.rounds_key import as_the_app_has_it, candidates, named, rounds_in, why_unknown
from shared.wire import ConfigScalar

OF_FLOWERS_OWN_APPS: list[tuple[dict[str, ConfigScalar], str | None]] = [
    ({"num-server-rounds": 3, "local-epochs": 1}, "num-server-rounds"),
    ({"algorithm.num-server-rounds": 100, "algorithm.local-epochs": 5}, "algorithm.num-server-rounds"),
    ({"num_server_rounds": 60}, "num_server_rounds"),
    ({"train.save-every-round": 5, "num-server-rounds": 200}, "num-server-rounds"),
    ({"num-server-rounds": "3", "local-epochs": "1"}, "num-server-rounds"),
    ({"server-qa-num": 10, "k-nn": 8}, None),
    ({"noise-multiplier": 0.2, "num-sampled-clients": 20}, None),
    ({}, None),
]


@pytest.mark.parametrize(("config", "key"), OF_FLOWERS_OWN_APPS)
def test_flowers_own_apps_have_a_key_that_is_found(config: dict[str, ConfigScalar], key: str | None) -> None:
    assert candidates(config) == ((key,) if key else ())


@pytest.mark.parametrize(
    "key",
    [
        "num-rounds",
        "num_rounds",
        "rounds",
        "n-rounds",
        "numRounds",
        "NUM_ROUNDS",
        "server.rounds",
        "global-rounds",
        "number-of-rounds",
        "total-rounds",
        "communication_rounds",
        "fl.num-fl-rounds",
    ],
)
def test_similar_names_are_found(key: str) -> None:
    assert candidates({key: 5, "lr": 0.1}) == (key,)


@pytest.mark.parametrize(
    "key",
    [
        "save-every-round",
        "local-rounds",
        "warmup-rounds",
        "early-stopping-rounds",
        "rounds-per-eval",
        "round",
        "num-boost-round",
        "min-rounds",
        "rounds.first",
        "surrounds",
    ],
)
def test_what_only_has_rounds_in_its_name_is_not_taken_for_it(key: str) -> None:
    assert candidates({key: 5}) == ()


@pytest.mark.parametrize("value", [0, -1, 2.5, 3.0, True, "three", "", "-3", "0", "٣", "9" * 400])
def test_a_value_that_is_no_number_of_rounds_rules_a_key_out(value: ConfigScalar) -> None:
    assert candidates({"num-server-rounds": value}) == ()
    assert rounds_in({"num-server-rounds": value}, "num-server-rounds") is None


def test_the_usual_name_goes_before_others() -> None:
    assert candidates({"num-rounds": 2, "num-server-rounds": 3}) == ("num-server-rounds",)
    assert candidates({"rounds": 2, "a.num_server_rounds": 3}) == ("a.num_server_rounds",)
    assert candidates({"a.num-server-rounds": 2, "num-server-rounds": 3}) == ("num-server-rounds",)


def test_of_several_none_is_chosen() -> None:
    config: dict[str, ConfigScalar] = {"a.num-server-rounds": 2, "b.num-server-rounds": 3}

    assert len(candidates(config)) == 2
    assert why_unknown(config) == (
        "a.num-server-rounds and b.num-server-rounds in the app's run config could each be meant"
    )
    assert why_unknown({"lr": 1}).startswith("no key of the app's run config is known")


def test_a_key_that_is_named_need_not_look_like_it() -> None:
    assert named("T", {"T": 7}) == "T"
    assert rounds_in({"T": 7}, "T") == 7


@pytest.mark.parametrize(
    ("key", "config", "complaint"),
    [
        ("t", {"T": 7, "lr": 1}, "no 't' in the app's run config. Its keys are T, lr."),
        ("t", {}, "It has no run config at all."),
        ("lr", {"lr": 0.1}, "'lr' cannot be the number of rounds: the app has 0.1 there"),
    ],
)
def test_a_key_that_cannot_be_it_is_refused(
    key: str, config: dict[str, ConfigScalar], complaint: str
) -> None:
    with pytest.raises(RoundsKeyInvalid) as refused:
        named(key, config)

    assert complaint in str(refused.value)


def test_without_a_key_the_number_of_rounds_is_not_known() -> None:
    assert rounds_in({"num-server-rounds": 3}, None) is None
    assert rounds_in({}, "num-server-rounds") is None


def test_an_app_that_has_a_text_gets_a_text() -> None:
    assert (as_the_app_has_it(5, "3"), as_the_app_has_it(5, 3)) == ("5", 5)


@given(
    st.dictionaries(st.text(max_size=12), st.booleans() | st.integers() | st.floats() | st.text(max_size=4))
)
def test_any_run_config_can_be_looked_through(config: dict[str, ConfigScalar]) -> None:
    for key in candidates(config):
        assert (rounds_in(config, key) or 0) > 0
