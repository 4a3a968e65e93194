"""A field of RunSpec is declared once: its flag, its place in the form and the run config derive from it."""

from __future__ import annotations

import argparse
import re
from enum import StrEnum
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError

from app import run_flags
from app.run_flags import RUN_FLAGS, add_run_flags
from app.run_tables import flag_table
from shared.errors import SettingsInvalid
from shared.run_fields import FieldUse, all_fields, run_fields
from shared.run_spec import FIELDS_OF_ANY_APP, RunSpec


class Noise(StrEnum):
    GAUSSIAN = "gaussian"
    LAPLACE = "laplace"


class Shield(BaseModel):
    bits: Annotated[int, FieldUse("Bits", "privacy")] = Field(default=20, ge=1, description="of each number")
    range: Annotated[float, FieldUse("Range", "privacy", step=0.5)] = Field(
        default=4.0, gt=0, description="largest number"
    )


class GrownSpec(RunSpec):
    """RunSpec with a field of each kind more, and nothing else done about them."""

    noise: Annotated[Noise | None, FieldUse("Noise", "advanced", null="none")] = Field(
        default=None, description="100 % noise"
    )
    clip: Annotated[float | None, FieldUse("Clip", "main", step=0.1, flag="--clip-norm")] = Field(
        default=None, gt=0, description="largest norm"
    )
    warm_up: Annotated[int, FieldUse("Warm-up", "late", unit="rounds", run_config=False)] = Field(
        default=3, ge=0, description="rounds before all that"
    )
    secure: Annotated[bool, FieldUse("Secure", "main")] = Field(default=False, description="with masks")
    note: Annotated[str | None, FieldUse("Note", "main")] = Field(default=None, description="a text")
    shield: Annotated[Shield | None, FieldUse("Shield", "privacy")] = Field(
        default=None, description="settings that go together"
    )


def a_parser(monkeypatch: pytest.MonkeyPatch) -> argparse.ArgumentParser:
    monkeypatch.setattr(run_flags, "RunSpec", GrownSpec)
    parser = argparse.ArgumentParser()
    add_run_flags(parser)
    return parser


def test_a_new_field_has_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = "--noise laplace --clip-norm 1.5 --warm-up 7 --secure --note hello"

    given = vars(a_parser(monkeypatch).parse_args(flags.split()))

    grown = GrownSpec.model_fields.keys() - RunSpec.model_fields.keys() - {"shield"}
    fields = {name: given[name] for name in grown}
    assert GrownSpec.model_validate(fields) == GrownSpec(
        noise=Noise.LAPLACE, clip=1.5, warm_up=7, secure=True, note="hello"
    )


def test_a_new_flag_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    words = " ".join(a_parser(monkeypatch).format_help().split())

    assert "--noise {gaussian,laplace} 100 % noise" in words
    assert "--clip-norm CLIP largest norm" in words
    assert "--warm-up ROUNDS rounds before all that (3)" in words
    assert "--secure, --no-secure with masks (False)" in words


@pytest.mark.parametrize(
    "spec", [GrownSpec(), GrownSpec(noise=Noise.LAPLACE, clip=1.5, secure=True, note="x")]
)
def test_a_new_field_is_in_the_run_config(spec: GrownSpec) -> None:
    config = spec.to_run_config()

    assert GrownSpec.from_run_config(config) == spec
    assert config.keys() - RunSpec().to_run_config().keys() == {
        *("noise", "clip", "secure", "note"),
        *("shield", "shield-bits", "shield-range"),
    }
    assert all(type(value) in (bool, int, float, str) for value in config.values())


@pytest.mark.parametrize(
    ("flags", "shield"),
    [
        ("", None),
        ("--shield", Shield()),
        ("--shield-bits 12", Shield(bits=12)),
        ("--shield --shield-range 0.5", Shield(range=0.5)),
    ],
)
def test_settings_that_go_together_have_a_switch_and_a_flag_each(
    flags: str, shield: Shield | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    parser = a_parser(monkeypatch)
    arguments = parser.parse_args(flags.split())
    (field,) = [field for field in run_fields(GrownSpec) if field.name == "shield"]

    value = run_flags.value_of(field, arguments)

    spec = GrownSpec.model_validate({"shield": value})
    assert spec.shield == shield
    assert GrownSpec.from_run_config(spec.to_run_config()).shield == shield
    assert "--shield-range RANGE largest number (4.0)" in " ".join(parser.format_help().split())


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            "--dp-clipping-norm 2",
            "--dp-clipping-norm 2.0: it needs --dp-noise-multiplier or --dp-target-epsilon",
        ),
        ("--dp-noise-multiplier 1 --dp-target-epsilon 3", "exactly one of the two"),
        ("--dp-noise-multiplier -1", "--dp-noise-multiplier -1.0: Input should be greater than or equal"),
    ],
)
def test_settings_that_do_not_go_together_are_named_by_their_flags(flags: str, words: str) -> None:
    parser = argparse.ArgumentParser()
    add_run_flags(parser)

    with pytest.raises(SettingsInvalid, match=re.escape(words)):
        run_flags.spec_from(
            parser.parse_args(flags.split(), argparse.Namespace(num_rounds=None, strategy_params=None))
        )


def test_a_new_field_is_in_the_form() -> None:
    properties = GrownSpec.model_json_schema()["properties"]

    first = len(RunSpec.model_fields)
    assert properties["noise"]["x-form"] == {
        "group": "advanced",
        "order": first,
        "title": "Noise",
        "any_app": False,
        "null": "none",
    }
    assert properties["warm_up"]["x-form"] == {
        "group": "late",
        "order": first + 2,
        "title": "Warm-up",
        "any_app": False,
        "step": 1,
        "unit": "rounds",
    }


def test_a_field_that_does_not_say_what_it_is_for_is_refused() -> None:
    class Silent(BaseModel):
        lr: float = 0.1

    class Nameless(BaseModel):
        lr: Annotated[float, FieldUse("Learning rate")] = 0.1

    for model in (Silent, Nameless):
        with pytest.raises(TypeError, match="The field lr of a RunSpec needs"):
            run_fields(model)


def test_null_can_be_told_from_every_value_of_a_run_config() -> None:
    """There null is 0 or an empty text."""
    for field in all_fields(RunSpec):
        if field.nullable and field.run_config is not None:
            with pytest.raises(ValidationError):
                RunSpec.model_validate(_nested(field.name, field.to_config(None)))


def _nested(path: str, value: Any) -> dict[str, Any]:
    name, _, within = path.partition(".")
    return {name: {"noise_multiplier": 1.0, within: value} if within else value}


def test_parameters_that_are_no_json_are_refused_like_any_other_value() -> None:
    for text in ("{", "[" * 100_000, "[]", "1"):
        with pytest.raises(SettingsInvalid, match="cannot be the value of strategy-params: "):
            RunSpec.from_run_config({"strategy-params": text})


def test_every_field_is_in_the_form_or_shown_there_in_its_own_way() -> None:
    properties: dict[str, Any] = RunSpec.model_json_schema()["properties"]

    forms = {name: schema["x-form"] for name, schema in properties.items() if "x-form" in schema}
    assert RunSpec.model_fields.keys() - forms.keys() == {"app", "run_config", "strategy_params"}
    assert len({form["order"] for form in forms.values()}) == len(forms)
    any_app = {name for name, form in forms.items() if form["any_app"]}
    assert any_app == FIELDS_OF_ANY_APP & forms.keys()


def test_every_flag_stands_in_the_table() -> None:
    table = flag_table()

    assert [flag for flag in [*RUN_FLAGS.values(), "--iid"] if f"`{flag}`" not in table] == []
