"""RunSpec: the same run on the command line, in REST and in Flower's run config."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.datasets import DATASETS
from shared.models import MODELS
from shared.names import DatasetName, ModelName, StrategyName
from shared.run_spec import RunSpec
from shared.wire import from_values, to_values

ROOT = Path(__file__).resolve().parents[2]

scalars = (
    st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)


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


def test_what_a_run_config_lacks_has_its_default() -> None:
    assert RunSpec.from_run_config({}) == RunSpec()
    assert RunSpec.from_run_config({"lr": 0.5, "unrelated": "x"}) == RunSpec(lr=0.5)


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
        ("rounds", 5),  # there is no such field
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        RunSpec.model_validate({field: value})

    assert {error["loc"][0] for error in refused.value.errors()} == {field}


def test_every_name_that_can_be_chosen_exists() -> None:
    assert set(DATASETS) == set(DatasetName)
    assert set(MODELS) == set(ModelName)
