"""client.toml becomes a policy; what cannot be one is named with its line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.cli import parse
from client.site.policy import (
    KEYS,
    MAX_BYTES,
    Budget,
    MeshRule,
    Policy,
    PolicyInvalid,
    Protection,
    UsageRule,
    read_policy,
)
from shared.names import DatasetName, ModelName, StrategyName
from tests.support.documents import blocks, text_of

DIGEST = "0123456789abcdef" * 4


def written(folder: Path, text: str) -> Path:
    path = folder / "client.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def complaint(folder: Path, text: str) -> str:
    written(folder, text)
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(folder)
    return str(refused.value).removeprefix(str(folder / "client.toml"))


def judge(folder: Path) -> Policy | str:
    try:
        return read_policy(folder)
    except PolicyInvalid as refused:
        return str(refused)


def test_without_a_file_everything_is_accepted(tmp_path: Path) -> None:
    policy = read_policy(tmp_path)

    assert policy == Policy()
    assert policy.lets_all_pass
    assert str(policy) == "none"


def test_every_rule_is_read(tmp_path: Path) -> None:
    written(
        tmp_path,
        f"""
        minimum_cohort = 3
        strategies = ["fedavg", "krum"]
        models = ["linear"]
        apps = ["built-in", "{DIGEST}"]
        label_counts = false
        rounds_a_day = 200
        confirm = true
        confirm_minutes = 30
        require = ["dp", "distributed-dp"]
        minimum_noise = 0.5
        privacy_budget = 3
        privacy_delta = 1e-6
        mesh = "dp-only"
        mesh_roster = false
        mesh_clipping_radius = 0.3
        usage = "off"
        """,
    )

    assert read_policy(tmp_path) == Policy(
        minimum_cohort=3,
        strategies=(StrategyName.FEDAVG, StrategyName.KRUM),
        models=(ModelName.LINEAR,),
        apps=("built-in", DIGEST),
        label_counts=False,
        rounds_a_day=200,
        confirm=True,
        confirm_minutes=30,
        require=(Protection.DP, Protection.DISTRIBUTED_DP),
        minimum_noise=0.5,
        privacy_budget=3.0,
        privacy_delta=1e-6,
        mesh=MeshRule.DP_ONLY,
        mesh_roster=False,
        mesh_clipping_radius=0.3,
        usage=UsageRule.OFF,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "minimum_cohort = 3\nmin_cohort = 3",
            ", line 2: there is no 'min_cohort'. There are: minimum_cohort, ",
        ),
        ('require = ["hope"]', ", line 1: require cannot be ['hope']: Input should be 'dp'"),
        ("require = []", ", line 1: require cannot be []: Tuple should have at least 1 item"),
        ("privacy_budget = 0", ", line 1: privacy_budget cannot be 0: Input should be greater than 0."),
        ("privacy_budget = '3'", ", line 1: privacy_budget cannot be '3': Input should be a valid number."),
        ("privacy_budget = inf", ", line 1: privacy_budget cannot be inf: Input should be a finite number."),
        (
            "[privacy_budget]\nfaces = 3.0",
            ", line 1: privacy_budget cannot be {'faces': 3.0}: Input should be 'digits', 'mnist', ",
        ),
        (
            "confirm = true\nprivacy_budget.digits = -1",
            ", line 2: privacy_budget cannot be {'digits': -1}: Input should be greater than 0.",
        ),
        ("privacy_delta = 1", ", line 1: privacy_delta cannot be 1: Input should be less than 1."),
        ("[policy]\nconfirm = true", ", line 1: there is no 'policy'. There are: "),
        (
            '\n\nminimum_cohort = "3"',
            ", line 3: minimum_cohort cannot be '3': Input should be a valid integer.",
        ),
        ("minimum_cohort = 0", ", line 1: minimum_cohort cannot be 0: Input should be greater than or equal"),
        ("minimum_cohort = true", ", line 1: minimum_cohort cannot be true: Input should be a valid integer"),
        ("confirm = 1", ", line 1: confirm cannot be 1: Input should be a valid boolean."),
        ("label_counts = 'no'", ", line 1: label_counts cannot be 'no': Input should be a valid boolean"),
        ('# x\nstrategies = ["fedavg", "best"]', ", line 2: strategies cannot be ['fedavg', 'best']: Input"),
        ("mesh = true", ", line 1: mesh cannot be true: Input should be 'off', 'dp-only' or 'on'."),
        (
            "mesh_clipping_radius = 0",
            ", line 1: mesh_clipping_radius cannot be 0: Input should be greater than 0.",
        ),
        ("mesh_roster = 'no'", ", line 1: mesh_roster cannot be 'no': Input should be a valid boolean"),
        ("models = []", ", line 1: models cannot be []: Tuple should have at least 1 item"),
        ('apps = ["abc"]', ", line 1: apps cannot be ['abc']: 'abc' is neither 'built-in' nor the SHA-256"),
        ("confirm = yes", " is not TOML: Invalid value (at line 1, column 11)."),
        ("confirm = true\nconfirm = false", " is not TOML: Cannot overwrite a value (at end of document)."),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    assert complaint(tmp_path, text).startswith(said)


def test_an_unknown_key_is_answered_with_all_that_there_are(tmp_path: Path) -> None:
    assert complaint(tmp_path, "epsilon = 3").endswith(f"There are: {', '.join(KEYS)}.")


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "client.toml").write_bytes(b"confirm = true\n# \xff\n")

    with pytest.raises(PolicyInvalid, match="line 2: it is not UTF-8"):
        read_policy(tmp_path)


def test_an_endless_file_is_not_read(tmp_path: Path) -> None:
    assert "has more than 65,536 bytes" in complaint(tmp_path, "#" * (MAX_BYTES + 1))


def test_a_file_that_is_given_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="so nothing is accepted"):
        read_policy(tmp_path, tmp_path / "other.toml")


def test_a_link_to_nowhere_is_no_missing_policy(tmp_path: Path) -> None:
    (tmp_path / "client.toml").symlink_to(tmp_path / "moved-away.toml")

    with pytest.raises(PolicyInvalid, match="cannot be read"):
        read_policy(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_a_policy_that_everybody_may_change_is_none(tmp_path: Path) -> None:
    written(tmp_path, "confirm = true").chmod(0o666)

    with pytest.raises(PolicyInvalid, match="can be changed by every user of this machine"):
        read_policy(tmp_path)


@given(
    content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_whatever_is_in_the_file_is_a_policy_or_refused_in_words(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("site")
    (folder / "client.toml").write_bytes(content)

    judged = judge(folder)

    assert isinstance(judged, Policy) or str(folder) in judged


@given(
    values=st.dictionaries(
        st.sampled_from([*KEYS, "other"]),
        st.sampled_from(["1", "true", '"fedavg"', '["fedavg"]', '["cnn"]', "-1", "1.5", "[]", "{a = 1}"]),
    )
)
def test_any_combination_of_keys_and_values_is_judged(
    values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("site")
    written(folder, "\n".join(f"{key} = {value}" for key, value in values.items()))

    match judge(folder):
        case Policy(rules=rules):
            assert rules.keys() == values.keys()
        case str(said):
            assert any(key in said for key in values)


class TestTheDocument:
    """docs/client-policy.md."""

    def test_its_example_has_every_key(self, tmp_path: Path) -> None:
        [example] = blocks("docs/client-policy.md", "toml")
        written(tmp_path, example)

        assert tuple(read_policy(tmp_path).rules) == KEYS

    def test_its_table_has_every_rule(self) -> None:
        rows = re.findall(r"^\| (`.*?) \|", text_of("docs/client-policy.md"), flags=re.MULTILINE)
        named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

        assert named == set(KEYS) - {"confirm_minutes"}


class TestOnTheCommandLine:
    def test_the_file_in_fedlooms_own_folder_counts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
        written(tmp_path, "minimum_cohort = 4")

        assert parse(["--client-id", "a"]).policy == Policy(minimum_cohort=4)

    def test_another_file_goes_before_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
        written(tmp_path, "minimum_cohort = 4")
        (tmp_path / "other").mkdir()
        other = written(tmp_path / "other", "confirm = true")

        assert parse(["--client-id", "a", "--policy", str(other)]).policy == Policy(confirm=True)

    def test_a_client_does_not_start_without_its_policy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
        written(tmp_path, "minimum_cohort = 'many'")

        with pytest.raises(SystemExit):
            parse(["--client-id", "a"])

        assert "line 1: minimum_cohort cannot be 'many'" in capsys.readouterr().err


def test_a_budget_holds_for_each_data_set() -> None:
    policy = Policy(privacy_budget=3.0)

    assert [policy.budget_for(dataset) for dataset in DatasetName] == [Budget(3.0, 1e-5)] * len(DatasetName)


def test_of_a_data_set_that_a_table_of_budgets_does_not_name_nothing_may_be_spent(tmp_path: Path) -> None:
    written(tmp_path, "privacy_delta = 1e-6\n[privacy_budget]\nmnist = 2.5\n")
    policy = read_policy(tmp_path)

    assert policy.budget_for("mnist") == Budget(2.5, 1e-6)
    assert policy.budget_for("digits") == Budget(0.0, 1e-6)


def test_without_a_budget_there_is_no_limit() -> None:
    assert Policy().budget_for("digits") is None


@pytest.mark.parametrize(
    ("text", "digits", "mnist"),
    [
        ("", 2.0, 2.0),
        ("privacy_budget = 3.0", 2.0, 2.0),
        ("privacy_budget = 1.0", 1.0, 1.0),
        ("privacy_budget.digits = 3.0", 2.0, 0.0),
        ("privacy_budget.digits = 1.0", 1.0, 0.0),
    ],
)
def test_of_the_flag_and_the_file_the_smaller_budget_counts(
    text: str, digits: float, mnist: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
    written(tmp_path, text)

    policy = parse(["--client-id", "client-1", "--privacy-budget", "2"]).policy

    assert policy.budget_for("digits") == Budget(digits, 1e-5)
    assert policy.budget_for("mnist") == Budget(mnist, 1e-5)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "much"])
def test_a_budget_on_the_command_line_is_a_number_above_0(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(["--client-id", "client-1", f"--privacy-budget={value}"])

    assert f"argument --privacy-budget: {value!r} is not a number above 0" in capsys.readouterr().err


def test_a_policy_is_shown_as_its_file_has_it() -> None:
    policy = Policy.model_validate({"require": ["dp"], "privacy_budget": {"mnist": 2.5}})

    assert str(policy) == "require = ['dp'], privacy_budget = {'mnist': 2.5}"
    assert not policy.lets_all_pass
