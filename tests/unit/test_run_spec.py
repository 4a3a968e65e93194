"""RunSpec: the same run on the command line, in REST and in Flower's run config."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.data.datasets import DATASETS
from shared.dp_spec import DELTA, DpSpec
from shared.errors import SettingsInvalid
from shared.models import MODELS
from shared.names import DatasetName, EngineName, ModelName, StrategyName
from shared.run_spec import RunSpec
from shared.wire import from_values, to_values

ROOT = Path(__file__).resolve().parents[2]

scalars = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)


private = st.builds(
    DpSpec,
    noise_multiplier=st.floats(0.01, 100),
    clipping_norm=st.floats(1e-6, 1e6),
    delta=st.floats(1e-12, 0.1),
) | st.builds(DpSpec, target_epsilon=st.floats(0.01, 1_000))


@st.composite
def specs(draw: st.DrawFn) -> RunSpec:
    min_clients = draw(st.integers(1, 10_000))
    return RunSpec(
        dataset=draw(st.sampled_from(DatasetName)),
        model=draw(st.sampled_from(ModelName)),
        num_rounds=draw(st.integers(1, 10_000)),
        min_clients=min_clients,
        num_partitions=draw(st.none() | st.integers(min_clients, 10_000)),
        strategy=draw(st.sampled_from(StrategyName)),
        strategy_params=draw(st.dictionaries(st.text(max_size=10), scalars, max_size=3)),
        local_epochs=draw(st.integers(1, 1_000)),
        batch_size=draw(st.integers(1, 65_536)),
        lr=draw(st.floats(0, 100, exclude_min=True)),
        alpha=draw(st.none() | st.floats(0, 1e6, exclude_min=True)),
        seed=draw(st.integers(0, 2**53 - 1)),
        fraction_train=draw(st.floats(0, 1, exclude_min=True)),
        fraction_evaluate=draw(st.floats(0, 1)),
        dp=draw(st.none() | private),
    )


@given(specs())
def test_a_spec_survives_as_flowers_run_config(spec: RunSpec) -> None:
    assert RunSpec.from_run_config(spec.to_run_config()) == spec


@given(specs())
def test_a_spec_survives_the_link_to_the_clients(spec: RunSpec) -> None:
    assert RunSpec.from_run_config(from_values(to_values(spec.to_run_config()))) == spec


@given(specs())
def test_a_spec_survives_as_json(spec: RunSpec) -> None:
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


@given(specs())
def test_a_spec_survives_the_store(spec: RunSpec) -> None:
    assert RunSpec.from_store(spec.model_dump(mode="json")) == spec


def test_a_spec_that_another_version_kept_is_read() -> None:
    kept = RunSpec(min_clients=3, lr=0.5).model_dump(mode="json")
    del kept["min_replies"], kept["alpha"]

    assert RunSpec.from_store({**kept, "momentum": 0.5}) == RunSpec(min_clients=3, lr=0.5)


def test_a_value_that_was_kept_and_is_beyond_a_limit_of_today_stays() -> None:
    beyond = {
        "num_rounds": 20_000,
        "min_clients": 30_000,
        "min_replies": 3,
        "num_partitions": 9,
        "alpha": 1e-310,
    }

    spec = RunSpec.from_store({**RunSpec(lr=0.5).model_dump(mode="json"), **beyond})

    assert spec.model_dump(include=set(beyond)) == beyond
    assert spec.lr == 0.5
    assert RunSpec.from_store(spec.model_dump(mode="json")) == spec


def test_settings_within_a_field_that_were_kept_are_read_as_far_as_they_are_known() -> None:
    kept = {"dp": {"noise_multiplier": 1e9, "clipping_norm": 0.5, "delta": 1e-5, "accountant": "prv"}}

    spec = RunSpec.from_store(kept)

    assert spec.dp is not None
    assert (spec.dp.noise_multiplier, spec.dp.clipping_norm) == (1e9, 0.5)
    assert RunSpec.from_store(spec.model_dump(mode="json")) == spec


def test_null_stands_in_a_run_config_for_a_setting_that_is_not_given() -> None:
    """As with `flwr run --run-config "dp-noise-multiplier=1.5"`, which has the others from pyproject.toml."""
    assert RunSpec().to_run_config().items() >= {"dp-noise-multiplier": 0.0, "dp-clipping-norm": 0.0}.items()
    assert RunSpec.from_run_config({**RunSpec().to_run_config(), "dp-noise-multiplier": 1.5}).dp == DpSpec(
        noise_multiplier=1.5, clipping_norm=1.0, delta=DELTA
    )


@pytest.mark.parametrize(
    "kept", [{"dataset": "no-more"}, {"lr": "fast"}, {"strategy_params": {"x": [1]}}, [], None, "{}"]
)
def test_what_was_kept_and_is_no_spec_is_refused(kept: Any) -> None:
    with pytest.raises(ValidationError):
        RunSpec.from_store(kept)


def test_what_a_run_config_lacks_has_its_default() -> None:
    assert RunSpec.from_run_config({}) == RunSpec()
    assert RunSpec.from_run_config({"lr": 0.5, "unrelated": "x"}) == RunSpec(lr=0.5)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"lr": 0}, "0 cannot be the value of lr: Input should be greater than 0."),
        ({"num-server-rounds": 0}, "0 cannot be the value of num-server-rounds: "),
        ({"min-clients": 3, "num-partitions": 2}, "2 parts are too few for min_clients = 3"),
        ({"strategy-params": '{"x": [1]}'}, "cannot be the value of strategy-params.x"),
        ({"dp-noise-multiplier": -1.0}, "-1.0 cannot be the value of dp-noise-multiplier"),
        ({"dp-delta": 0.01}, "it needs noise_multiplier or target_epsilon, exactly one of the two"),
    ],
)
def test_a_run_config_that_makes_no_sense_is_refused_by_its_key(config: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsInvalid, match=re.escape(words)):
        RunSpec.from_run_config(config)


def test_the_run_config_of_pyproject_is_that_of_the_defaults() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["tool"]["flwr"]["app"]["config"] == RunSpec().to_run_config()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataset", "imagenet"),
        ("model", "transformer"),
        ("strategy", "magic"),
        ("num_rounds", 0),
        ("num_rounds", 10_001),
        ("num_rounds", 1.5),
        ("num_rounds", "many"),
        ("num_rounds", None),
        ("min_clients", 0),
        ("num_partitions", 0),
        ("num_partitions", 1),  # fewer than min_clients: the run would wait for ever
        ("local_epochs", 0),
        ("batch_size", 0),
        ("batch_size", -32),
        ("lr", 0),
        ("lr", -0.1),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("alpha", 0),
        ("alpha", -1),
        ("alpha", float("inf")),
        ("seed", -1),
        ("seed", 2**53),
        ("fraction_train", 0),
        ("fraction_train", 1.01),
        ("fraction_evaluate", -0.1),
        ("strategy_params", {"x": [1]}),
        ("strategy_params", {"x": "y" * 201}),
        ("dp", {}),
        ("dp", {"noise_multiplier": 1.0, "target_epsilon": 1.0}),
        ("dp", {"noise_multiplier": 0.0}),
        ("dp", {"noise_multiplier": 1.0, "delta": 1.0}),
        ("dp", {"noise_multiplier": 1.0, "noise": 1.0}),
        ("rounds", 5),  # there is no such field
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        RunSpec.model_validate({field: value})

    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_a_change_is_held_to_the_limits_and_to_the_other_fields() -> None:
    spec = RunSpec(min_clients=4, seed=7)

    changed = spec.with_changes(num_partitions=9, lr=0.5)

    assert changed == RunSpec(min_clients=4, seed=7, num_partitions=9, lr=0.5)
    assert changed.model_fields_set == {"min_clients", "seed", "num_partitions", "lr"}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"num_rounds": 20_000}, "num_rounds", "20000 cannot be the value of num_rounds"),
        ({"num_partitions": 3}, "num_partitions", "3 parts are too few for min_clients = 4"),
        ({"min_clients": 1, "min_replies": 2}, "min_replies", "2 replies may never come"),
        ({"stop_at_first_budget": True}, "stop_at_first_budget", "without differential privacy (dp) no"),
        ({"strategy_params": {"x": [1]}}, "strategy_params", "strategy_params.x"),
    ],
)
def test_a_change_that_does_not_fit_names_the_field(changes: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=re.escape(words)) as refused:
        RunSpec(min_clients=4).with_changes(**changes)

    assert refused.value.field.split(".")[0] == field


def test_a_refused_name_is_shown_as_it_is_written() -> None:
    simulated = RunSpec(engine=EngineName.SIMULATION, simulated_clients=4)

    with pytest.raises(SettingsInvalid, match=r"^'simulation' cannot be the value of engine: "):
        simulated.with_changes(min_clients=9)


def test_every_name_that_can_be_chosen_exists() -> None:
    assert set(DATASETS) == set(DatasetName)
    assert set(MODELS) == set(ModelName)
