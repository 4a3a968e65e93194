"""What a run asks for is made to fit the server's app, or refused with the field that does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.federation.runs import app_compatibility
from app.records import Run
from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp, read_app
from shared.run_spec import MAX_ROUNDS, RunSpec
from tests.support.apps import write_app
from tests.support.records import a_run


def an_app(folder: Path, config: str = "num-server-rounds = 3\nlr = 0.5") -> FlowerApp:
    return read_app(write_app(folder, "made_up", config=config))


def fitted(served: FlowerApp | None, /, **asked: Any) -> RunSpec:
    return app_compatibility.fitted(RunSpec(**asked), served)


def test_a_run_of_an_app_has_the_apps_rounds_unless_it_says_otherwise(tmp_path: Path) -> None:
    app = an_app(tmp_path)

    assert fitted(app) == RunSpec(app="made-up", num_rounds=3)
    assert fitted(app, num_rounds=7).num_rounds == 7
    assert fitted(app, run_config={"num-server-rounds": 5}).num_rounds == 5


def test_a_limit_of_a_spec_holds_also_for_what_comes_from_a_run_config(tmp_path: Path) -> None:
    """Once, it was accepted and kept, and the store could never be opened again."""
    app = an_app(tmp_path)

    with pytest.raises(SettingsInvalid, match=str(MAX_ROUNDS)) as refused:
        fitted(app, run_config={"num-server-rounds": 2 * MAX_ROUNDS})

    assert refused.value.field == "num_rounds"


def test_what_was_fitted_can_be_kept_and_read_again(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    spec = fitted(app, run_config={"num-server-rounds": MAX_ROUNDS, "lr": 2})
    run = a_run(spec=spec, num_rounds=app_compatibility.num_rounds(spec, app))

    assert Run.model_validate_json(run.model_dump_json()) == run


def test_of_an_app_that_does_not_say_so_the_number_of_rounds_is_not_known(tmp_path: Path) -> None:
    app = an_app(tmp_path, "lr = 0.5")

    assert app_compatibility.num_rounds(fitted(app), app) is None
    assert "rounds" not in "".join(app_compatibility.app_run_config(app, fitted(app)))
    assert app_compatibility.num_rounds(fitted(None, num_rounds=4), None) == 4


def test_rounds_that_an_app_would_ignore_are_refused_with_their_field(tmp_path: Path) -> None:
    """Once, they were accepted, and the run had another number of rounds."""
    app = an_app(tmp_path, "lr = 0.5")

    with pytest.raises(SettingsInvalid, match=r"no key .* is known.*--rounds-key") as refused:
        fitted(app, num_rounds=5)

    assert refused.value.field == "num_rounds"


@pytest.mark.parametrize(
    "config",
    ["[tool.flwr.app.config.algorithm]\nnum-server-rounds = 3", "num_server_rounds = 3", "rounds = 3"],
)
def test_rounds_reach_the_app_under_its_own_key(tmp_path: Path, config: str) -> None:
    app = an_app(tmp_path, config)
    (key,) = app.run_config

    assert app_compatibility.app_run_config(app, fitted(app, num_rounds=7)) == {key: 7}
    assert app_compatibility.app_run_config(app, fitted(app, run_config={key: 5})) == {key: 5}
    assert app_compatibility.num_rounds(fitted(app), app) == 3


def test_an_app_that_has_its_rounds_as_a_text_gets_a_text(tmp_path: Path) -> None:
    app = an_app(tmp_path, 'num-server-rounds = "3"')

    assert app_compatibility.app_run_config(app, fitted(app, num_rounds=7)) == {"num-server-rounds": "7"}
    with pytest.raises(SettingsInvalid, match="not a whole number from 1 up"):
        fitted(app, run_config={"num-server-rounds": "many"})


def test_rounds_reach_the_app_under_the_key_that_was_named(tmp_path: Path) -> None:
    app = read_app(write_app(tmp_path, "made_up", config="T = 3\nrounds = 9"), "T")

    assert app_compatibility.app_run_config(app, fitted(app, num_rounds=7)) == {"T": 7, "rounds": 9}


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"app": "another"}, "app"),
        ({"local_epochs": 7}, "local_epochs"),
        ({"run_config": {"num-server-rounds": 4}, "num_rounds": 5}, "num_rounds"),
    ],
)
def test_what_does_not_fit_an_app_is_refused_with_its_field(
    tmp_path: Path, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        fitted(an_app(tmp_path), **asked)

    assert refused.value.field == field


def test_secure_aggregation_of_an_app_is_refused_with_what_flower_has_for_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="can use Flower's own SecAggPlusWorkflow") as refused:
        fitted(an_app(tmp_path), secure_aggregation={}, min_clients=3)

    assert refused.value.field == "secure_aggregation"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"app": "made-up"}, "app"),
        ({"run_config": {"lr": 1}}, "run_config"),
        ({"strategy": "krum", "min_clients": 2}, "min_clients"),
    ],
)
def test_what_does_not_fit_the_built_in_app_is_refused_with_its_field(
    asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        fitted(None, **asked)

    assert refused.value.field == field
