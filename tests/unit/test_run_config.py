"""Run configs are read as Flower reads them, and put over an app's own values with care."""

from __future__ import annotations

from pathlib import Path

import pytest
from flwr.common.config import fuse_dicts, parse_config_args
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp
from shared.run_config import fuse, parse_config
from shared.wire import ConfigScalar

EXAMPLES = [
    ["lr=0.1"],
    ["lr=0.1 num-server-rounds=3 verbose=true name=\"a b\" other='c d'"],
    ["lr=0.1", "lr=0.2 x=1"],
    ["  lr=1e-3   x=-4  "],
    ["model.width=8 model.depth=2"],
    ['text="a=b"', "empty=''"],
    [],
    [""],
]


@pytest.mark.parametrize("texts", EXAMPLES)
def test_values_are_what_flower_reads(texts: list[str]) -> None:
    assert parse_config(texts) == parse_config_args(texts)


def test_values_have_the_type_that_they_look_like() -> None:
    config = parse_config(["a=1 b=1.0 c=true d='1' e=\"true\""])

    assert config == {"a": 1, "b": 1.0, "c": True, "d": "1", "e": "true"}
    assert [type(value) for value in config.values()] == [int, float, bool, str, str]


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("lr = 0.5\n[model]\nwidth = 3\n", encoding="utf-8")

    assert parse_config([str(path)]) == {"lr": 0.5, "model.width": 3} == parse_config_args([str(path)])


@pytest.mark.parametrize(
    ("texts", "complaint"),
    [
        (["nonsense"], "'nonsense' is not key=value"),
        (["lr=0.1 nonsense"], "'nonsense' is not key=value"),
        (["lr = 0.1"], "is not key=value"),
        (["lr=0.1,x=2"], "lr=0.1,x=2 cannot be used"),
        (["name=text"], "name=text cannot be used"),
        (['name="text"more'], "cannot be used"),
        (['name="a b'], "cannot be used"),
        (["=1"], "'=1' is not key=value"),
        (["lr=0.1 lr=0.2"], "given twice"),
        (["a=1 a.b=2"], "given twice"),
        (["lr=nan"], "lr=nan cannot be used: the value is not a finite number"),
        (["n=99999999999999999999"], "does not fit into 64 bits"),
        (["x=[1,2]"], "x"),
        (["when=2024-01-01"], "when"),
        (["[x]=1"], "cannot be used"),
        (["nowhere.toml"], "nowhere.toml cannot be read"),
        (["a=1", "run.toml"], "cannot be given together"),
    ],
)
def test_nonsense_is_named(texts: list[str], complaint: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        parse_config(texts)

    assert complaint in str(caught.value)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text("lr 0.5", encoding="utf-8")

    with pytest.raises(SettingsInvalid, match="is not valid TOML"):
        parse_config([str(path)])


@given(st.lists(st.text(alphabet="ab=.\"' 1e-\n[]#{}", max_size=20), max_size=3))
def test_any_text_is_read_or_named(texts: list[str]) -> None:
    try:
        config = parse_config(texts)
    except SettingsInvalid:
        return
    assert all(isinstance(value, bool | int | float | str) for value in config.values())


KEYS = st.from_regex(r"[A-Za-z0-9_-]{1,8}(\.[A-Za-z0-9_-]{1,8})?", fullmatch=True)
VALUES = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(categories=["L", "Zs", "P"], exclude_characters="'\"\\"), max_size=10)
)


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_whatever_is_written_down_is_read_again(config: dict[str, ConfigScalar]) -> None:
    if any(other.startswith(f"{key}.") for key in config for other in config):
        return  # a value cannot be a table as well

    def written(value: ConfigScalar) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return f'"{value}"' if isinstance(value, str) else repr(value)

    assert parse_config([" ".join(f"{key}={written(value)}" for key, value in config.items())]) == config


OWN: dict[str, ConfigScalar] = {
    "num-server-rounds": 3,
    "lr": 0.1,
    "epochs": 2,
    "name": "x",
    "on": True,
    "model.width": 8,
}


def an_app(config: dict[str, ConfigScalar] | None = None) -> FlowerApp:
    own = OWN if config is None else config
    return FlowerApp(Path("/app"), "x", "1", "ab", "x:y", "x:z", own, rounds_key="num-server-rounds")


def test_given_values_replace_the_apps_own() -> None:
    overrides: dict[str, ConfigScalar] = {"lr": 0.5, "name": "y", "on": False, "model.width": 9}

    assert fuse(an_app(), overrides) == {**OWN, **overrides} == fuse_dicts(dict(OWN), dict(overrides))


def test_the_apps_own_values_stay_as_they_are() -> None:
    app = an_app()
    fuse(app, {"lr": 0.5})["name"] = "z"

    assert app.run_config == OWN


@pytest.mark.parametrize(
    ("key", "given", "becomes"),
    [("lr", 1, 1.0), ("epochs", 4.0, 4), ("epochs", 2.5, 2.5), ("num-server-rounds", 5.0, 5)],
)
def test_a_number_is_as_the_app_has_it(key: str, given: ConfigScalar, becomes: ConfigScalar) -> None:
    value = fuse(an_app(), {key: given})[key]

    assert (value, type(value)) == (becomes, type(becomes))


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ({"rl": 0.1}, "no 'rl' in its run config"),
        ({"lr": "fast"}, "'fast' cannot be the value of lr: it is a text"),
        ({"lr": True}, "it is true or false, and the app x has a number there (0.1)"),
        ({"on": 1}, "it is a number, and the app x has true or false"),
        ({"name": 3}, "it is a number, and the app x has a text"),
        ({"lr": float("inf")}, "not a finite number"),
        ({"epochs": 2**70}, "does not fit into 64 bits"),
        ({"epochs": 1e300}, "does not fit into 64 bits"),
        ({"lr": 10**400}, "does not fit into 64 bits"),
        ({"num-server-rounds": 0}, "not a whole number from 1 up"),
        ({"num-server-rounds": 2.5}, "not a whole number from 1 up"),
    ],
)
def test_a_value_that_does_not_fit_is_named(overrides: dict[str, ConfigScalar], complaint: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        fuse(an_app(), overrides)

    assert complaint in str(caught.value)


def test_an_unknown_key_names_the_known_ones() -> None:
    with pytest.raises(SettingsInvalid, match=r"epochs, lr, model\.width, name, num-server-rounds, on"):
        fuse(an_app(), {"rl": 1})
    with pytest.raises(SettingsInvalid, match="no run config at all"):
        fuse(an_app({}), {"rl": 1})
    with pytest.raises(SettingsInvalid, match="and 10 more"):
        fuse(an_app({f"key-{n}": n for n in range(30)}), {"rl": 1})
