"""A strategy's parameters: checked before a run begins, described for the form."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.api.strategies import strategies_api
from app.federation.strategies import StrategyInfo, build_strategy, describe_strategies
from app.federation.strategies.sampling import cohort_size, sample_nodes
from shared.errors import SettingsInvalid
from shared.names import StrategyName
from shared.run_spec import RunSpec


def refusal(strategy: str, params: dict[str, Any] | None = None, **spec: Any) -> SettingsInvalid:
    with pytest.raises(SettingsInvalid) as refused:
        build_strategy(RunSpec(strategy=StrategyName(strategy), strategy_params=params or {}, **spec))
    return refused.value


@pytest.mark.parametrize(
    ("strategy", "params", "complaint"),
    [
        (
            "fedprox",
            {"proximal_mu": 0},
            "FedProx's parameter proximal_mu cannot be 0: it must be a number above 0 and at most 1000. "
            "Change it, or leave it out for the default of 0.1.",
        ),
        (
            "krum",
            {"num_malicious_nodes": 1.5},
            "Krum's parameter num_malicious_nodes cannot be 1.5: it must be a whole number at least 1 "
            "and at most 10000. Change it, or leave it out for the default of 1.",
        ),
        (
            "multikrum",
            {"num_nodes_to_select": 0},
            "Multi-Krum's parameter num_nodes_to_select cannot be 0: it must be a whole number at least 1 "
            "and at most 10000. Change it, or leave it out for its default.",
        ),
        ("fedtrimmedavg", {"beta": 0.5}, "cannot be 0.5: it must be a number above 0 and below 0.5."),
        ("fedadam", {"eta": "fast"}, "FedAdam's parameter eta cannot be 'fast': it must be a number"),
        ("fedadam", {"eta": True}, "FedAdam's parameter eta cannot be True: it must be a number"),
        ("fedavg", {"beta": 0.9}, "FedAvg has no parameter 'beta'; it takes none. Leave it out."),
        ("krum", {"f": 1}, "Krum has no parameter 'f'; it takes num_malicious_nodes. Leave it out."),
        (
            "fedadam",
            {"eta": -1, "momentum": 0.9},
            "FedAdam has no parameter 'momentum'; it takes eta, tau, beta_1, beta_2. Leave it out.",
        ),
        (
            "dpfedavg-adaptive",
            {"noise_multiplier": 2, "clipped_count_stddev": 1},
            "Adaptive DP-FedAvg's parameter clipped_count_stddev = 1 is too little for noise_multiplier = 2: "
            "the count alone would tell more than both together may. Set it above 1, or leave it out.",
        ),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named_with_what_is_allowed(
    strategy: str, params: dict[str, Any], complaint: str
) -> None:
    assert complaint in str(refusal(strategy, params, min_clients=10))


def test_all_parameters_that_are_wrong_are_named_at_once() -> None:
    said = str(refusal("fedadam", {"eta": -1, "tau": 0, "momentum": 0.9}))

    assert all(name in said for name in ("eta cannot", "tau cannot", "'momentum'"))


def test_the_form_learns_which_field_is_wrong() -> None:
    assert refusal("fedprox", {"proximal_mu": 0}).field == "strategy_params.proximal_mu"
    assert refusal("krum").field == "min_clients"


@pytest.mark.parametrize(
    ("strategy", "params", "spec", "complaint"),
    [
        (
            "krum",
            {"num_malicious_nodes": 2},
            {"min_clients": 5},
            "Krum with num_malicious_nodes = 2 needs at least 7 updates in each round, "
            "but a round starts with 5 clients (min_clients 5 × fraction_train 1). "
            "Raise min_clients to 7, or lower num_malicious_nodes to 1.",
        ),
        (
            "bulyan",
            {},
            {"min_clients": 6},
            "Bulyan with num_malicious_nodes = 1 needs at least 7 updates in each round, "
            "but a round starts with 6 clients (min_clients 6 × fraction_train 1). Raise min_clients to 7.",
        ),
        (
            "krum",
            {},
            {"min_clients": 20, "fraction_train": 0.05},
            "starts with 1 client (min_clients 20 × fraction_train 0.05). Raise min_clients to 91.",
        ),
        (
            "multikrum",
            {"num_nodes_to_select": 9},
            {"min_clients": 9},
            "Multi-Krum with num_malicious_nodes = 1 and num_nodes_to_select = 9 needs at least 12 "
            "updates in each round, but a round starts with 9 clients (min_clients 9 × fraction_train 1). "
            "Raise min_clients to 12, or lower num_nodes_to_select to 6.",
        ),
        (
            "fedtrimmedavg",
            {"beta": 0.1},
            {"min_clients": 6},
            "Raise min_clients to 10, or raise beta to 0.17.",
        ),
        ("fedtrimmedavg", {}, {"min_clients": 2}, "Raise min_clients to 5."),
        ("fedmedian", {}, {"min_clients": 2}, "FedMedian needs at least 3 updates in each round"),
    ],
)
def test_a_round_too_small_for_the_strategy_is_refused_with_the_remedy(
    strategy: str, params: dict[str, Any], spec: dict[str, Any], complaint: str
) -> None:
    assert complaint in str(refusal(strategy, params, **spec))


@given(
    strategy=st.sampled_from(["krum", "multikrum", "bulyan", "fedtrimmedavg", "fedmedian"]),
    malicious=st.integers(1, 20),
    beta=st.floats(0.01, 0.49),
    clients=st.integers(1, 60),
    fraction=st.floats(0.05, 1),
)
def test_the_remedies_help(strategy: str, malicious: int, beta: float, clients: int, fraction: float) -> None:
    params: dict[str, Any] = {"fedtrimmedavg": {"beta": beta}, "fedmedian": {}}.get(
        strategy, {"num_malicious_nodes": malicious}
    )
    spec: dict[str, Any] = {"strategy": strategy, "min_clients": clients, "fraction_train": fraction}
    try:
        built = build_strategy(RunSpec(**spec, strategy_params=params))
    except SettingsInvalid as error:
        words = str(error).rstrip(".").split(" to ")
        more_clients = int(words[1].split(",")[0])
        build_strategy(RunSpec(**{**spec, "min_clients": more_clients}, strategy_params=params))
        refusal(strategy, params, min_clients=more_clients - 1, fraction_train=fraction)
        if len(words) > 2:
            name = words[1].split()[-1]
            other = type(params[name])(float(words[2]))
            build_strategy(RunSpec(**spec, strategy_params={name: other}))
    else:
        assert built.minimum_updates <= cohort_size(clients, fraction)


@given(st.integers(1, 200), st.floats(0.001, 1))
def test_a_cohort_is_counted_as_it_is_drawn(clients: int, fraction: float) -> None:
    drawn = sample_nodes(range(2, 2 + clients), fraction, seed=0, purpose="train", server_round=1)

    assert cohort_size(clients, fraction) == len(drawn)


@pytest.mark.parametrize("strategy", list(StrategyName))
def test_every_strategy_works_without_parameters_in_a_round_that_is_large_enough(strategy: str) -> None:
    build_strategy(RunSpec(strategy=StrategyName(strategy), min_clients=7))


def described() -> dict[str, StrategyInfo]:
    return {info.name: info for info in describe_strategies()}


@pytest.mark.parametrize("strategy", list(StrategyName))
def test_what_is_described_is_what_is_accepted(strategy: str) -> None:
    info = described()[strategy]
    spec = RunSpec(strategy=StrategyName(strategy), min_clients=info.minimum_updates)
    defaults = {item.name: item.default for item in info.parameters if item.default is not None}
    assert build_strategy(spec.model_copy(update={"strategy_params": defaults}))
    if info.minimum_updates > 1:
        refusal(strategy, min_clients=info.minimum_updates - 1)
    for item in info.parameters:
        for limit, exclusive, step in (
            (item.minimum, item.exclusive_minimum, -1),
            (item.maximum, item.exclusive_maximum, 1),
        ):
            assert limit is not None
            assert f"parameter {item.name} cannot be" in str(
                refusal(strategy, {item.name: limit if exclusive else limit + step}, min_clients=7)
            )


def test_the_description_says_all_that_a_form_needs() -> None:
    trimmed = described()["fedtrimmedavg"]

    assert trimmed.model_dump(mode="json") == {
        "name": "fedtrimmedavg",
        "title": "FedTrimmedAvg",
        "summary": "The mean of each weight without the highest and the lowest values.",
        "reference": "https://arxiv.org/abs/1803.01498",
        "parameters": [
            {
                "name": "beta",
                "type": "number",
                "default": 0.2,
                "minimum": 0,
                "exclusive_minimum": True,
                "maximum": 0.5,
                "exclusive_maximum": True,
                "description": "β: share of the values that is cut off at each end; "
                "at least that of malicious clients",
            }
        ],
        "minimum_updates": 5,
        "streams": False,
    }
    selected = described()["multikrum"].parameters[1]
    assert (selected.name, selected.type, selected.default) == ("num_nodes_to_select", "integer", None)


def test_robust_strategies_alone_need_memory_for_every_client() -> None:
    robust = {"fedmedian", "fedtrimmedavg", "krum", "multikrum", "bulyan"}

    assert {info.name for info in describe_strategies() if not info.streams} == robust


def test_the_api_lists_the_strategies() -> None:
    app = Flask(__name__)
    app.register_blueprint(strategies_api)

    answer = app.test_client().get("/api/v1/strategies")

    assert answer.status_code == 200
    assert answer.get_json() == {
        "strategies": [info.model_dump(mode="json") for info in describe_strategies()]
    }
