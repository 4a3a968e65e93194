"""The rules of a policy, each against what a server says of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from client.site.policy import Policy
from client.site.rules import RunFacts, objection
from shared.dp_spec import DpSpec
from shared.run_spec import RunSpec

DIGEST = "ab" * 32
RUN = RunFacts(
    server="KEY",
    run="0000002a",
    clients=4,
    config=(("model", "cnn"), ("strategy", "fedavg")),
)
OTHER_APP = replace(RUN, config=(("lr", 0.1),), app=DIGEST, app_name="sklearn 1.0")


def judged(policy: Policy, run: RunFacts = RUN, cohort: int = 4) -> str | None:
    declined = objection(policy, run, cohort)
    assert declined is None or str(declined).startswith(declined.rule)
    return None if declined is None else str(declined)


def test_without_a_rule_everything_passes() -> None:
    assert judged(Policy()) is None
    assert judged(Policy(), OTHER_APP, cohort=0) is None


@pytest.mark.parametrize(
    ("clients", "cohort", "said"),
    [
        (4, 4, None),
        (3, 3, None),
        (2, 2, "minimum_cohort = 3, and the run has 2"),
        (4, 2, "minimum_cohort = 3, and this round asks 2"),
        (0, 0, "minimum_cohort = 3, and the run has 0"),
        (4, 0, None),
    ],
)
def test_a_cohort_must_be_large_enough_in_the_run_and_in_each_round(
    clients: int, cohort: int, said: str | None
) -> None:
    """0 in a round: an app in Flower's older style asks each client by itself."""
    assert judged(Policy(minimum_cohort=3), replace(RUN, clients=clients), cohort) == said
    assert judged(Policy(minimum_cohort=3), replace(OTHER_APP, clients=clients), cohort) == said


def test_a_strategy_that_is_not_named_is_declined() -> None:
    policy = Policy.model_validate({"strategies": ["krum", "bulyan"]})

    assert judged(policy) == "strategies = krum, bulyan, and the run has fedavg"
    assert judged(policy, replace(RUN, config=(("strategy", "krum"),))) is None


def test_a_run_that_does_not_say_its_strategy_is_declined() -> None:
    policy = Policy.model_validate({"strategies": ["fedavg"]})

    assert judged(policy, replace(RUN, config=())) == (
        "strategies = fedavg, and the run does not say which it has"
    )


@pytest.mark.parametrize("value", [True, 1, 1.0, "FEDAVG", "fedavg ", ""])
def test_only_the_name_itself_is_a_strategys_name(value: bool | int | float | str) -> None:
    policy = Policy.model_validate({"strategies": ["fedavg"]})

    assert judged(policy, replace(RUN, config=(("strategy", value),))) is not None


def test_a_model_that_is_not_named_is_declined() -> None:
    policy = Policy.model_validate({"models": ["linear"]})

    assert judged(policy) == "models = linear, and the run has cnn"


@pytest.mark.parametrize("rule", ["strategies", "models"])
def test_another_app_whose_strategy_and_model_nobody_knows_needs_to_be_named(rule: str) -> None:
    values = {"strategies": ["fedavg"], "models": ["cnn"]}
    policy = Policy.model_validate({rule: values[rule]})

    assert (judged(policy, OTHER_APP) or "").startswith(f"{rule} is given, and which one another Flower app")
    assert judged(policy.model_copy(update={"apps": (DIGEST,)}), OTHER_APP) is None


def test_an_app_that_is_not_named_is_declined() -> None:
    policy = Policy(apps=("cd" * 32,))

    assert judged(policy, OTHER_APP) == (
        "apps names those that may run, and the app sklearn 1.0 (abababababab…) is not among them"
    )
    assert judged(policy) == "apps names those that may run, and the built-in app is not among them"
    assert judged(Policy(apps=("built-in",))) is None


def test_what_is_confirmed_is_the_run_with_its_settings_and_not_how_many_are_there() -> None:
    assert RUN.digest == replace(RUN, clients=9).digest
    for other in (
        replace(RUN, run="0000002b"),
        replace(RUN, server="ANOTHER"),
        replace(RUN, config=(("model", "linear"), ("strategy", "fedavg"))),
        replace(RUN, app=DIGEST),
    ):
        assert other.digest != RUN.digest


def test_what_a_server_sends_cannot_steer_the_terminal_of_who_reads_it() -> None:
    nasty = replace(RUN, config=(("model", "\x1b[2Jcnn\n" + "x" * 10_000),))

    assert "\x1b" not in str(nasty)
    assert "\n" not in str(nasty)
    assert len(str(nasty)) < 1_000
    assert str(RUN) == "run 0000002a at the server KEY…: cnn on ? by fedavg, ? rounds, 4 clients"
    assert "sklearn 1.0" in str(OTHER_APP)
    assert DIGEST in str(OTHER_APP)


PRIVATE = replace(RUN, config=tuple(RunSpec(dp=DpSpec(noise_multiplier=1.0)).to_run_config().items()))
PLAIN = replace(RUN, config=tuple(RunSpec().to_run_config().items()))


def test_a_run_without_the_required_privacy_is_declined() -> None:
    policy = Policy.model_validate({"require": ["dp"]})

    assert judged(policy, PLAIN) == "require = dp, and the run has no differential privacy at the client"
    assert judged(policy, PRIVATE) is None


def test_a_run_without_the_required_secure_aggregation_is_declined() -> None:
    policy = Policy.model_validate({"require": ["secagg"]})
    masked = RunSpec.model_validate({"secure_aggregation": {}, "min_clients": 3})
    secure = replace(RUN, config=tuple(masked.to_run_config().items()))

    assert judged(policy, PRIVATE) == "require = secagg, and the run has no secure aggregation"
    assert judged(policy, secure) is None


def test_a_run_without_privacy_would_spend_more_than_any_budget() -> None:
    policy = Policy(privacy_budget=3.0)

    assert judged(policy, PLAIN) == (
        "privacy_budget is given, and the run has no differential privacy at the client: "
        "it would spend more than any"
    )
    assert judged(policy, PRIVATE) is None


def test_a_run_whose_settings_the_client_cannot_read_has_no_privacy() -> None:
    policy = Policy.model_validate({"require": ["dp"]})
    unreadable = replace(RUN, config=(*PRIVATE.config, ("lr", "fast")))

    assert judged(policy, unreadable) == "require = dp, and the run has no differential privacy at the client"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"require": ["dp"]}, "require is given, and what protection another Flower app has nobody can know"),
        ({"privacy_budget": 3.0}, "privacy_budget is given, and what privacy another Flower app has"),
    ],
)
def test_another_app_is_taken_with_such_a_rule_only_if_it_is_named(rules: dict[str, Any], said: str) -> None:
    words = judged(Policy.model_validate(rules), OTHER_APP)

    assert words is not None
    assert words.startswith(said)
    assert judged(Policy.model_validate({**rules, "apps": [DIGEST]}), OTHER_APP) is None


def sharing(noise_multiplier: float) -> RunFacts:
    """A run whose clients share so much noise inside a masked sum."""
    spec = RunSpec.model_validate(
        {
            "secure_aggregation": {},
            "min_clients": 3,
            "strategy": "dpfedavg-fixed",
            "strategy_params": {"noise_multiplier": noise_multiplier},
        }
    )
    return replace(RUN, config=tuple(spec.to_run_config().items()))


CENTRAL = replace(
    RUN, config=tuple(RunSpec.model_validate({"strategy": "dpfedavg-fixed"}).to_run_config().items())
)


def test_noise_in_a_masked_sum_is_another_promise_than_noise_at_the_client() -> None:
    local, shared = (Policy.model_validate({"require": [word]}) for word in ("dp", "distributed-dp"))

    assert judged(shared, sharing(1.0)) is None
    assert (
        judged(local, sharing(1.0)) == "require = dp, and the run has no differential privacy at the client"
    )
    words = "require = distributed-dp, and the run has no noise that its clients share inside a masked sum"
    for run in (PRIVATE, PLAIN, CENTRAL, sharing(0.0)):
        assert judged(shared, run) == words


def test_a_site_may_demand_more_noise_than_a_server_asks_for() -> None:
    policy = Policy(minimum_noise=0.8)

    assert judged(policy, sharing(0.8)) is None
    assert judged(policy, sharing(0.79)) == "minimum_noise = 0.8, and the run has 0.79"
    for run in (PRIVATE, PLAIN, CENTRAL, sharing(0.0)):
        assert judged(policy, run) == "minimum_noise = 0.8, and its clients share none"
    assert (judged(policy, OTHER_APP) or "").startswith("minimum_noise is given, and what noise another")
    assert not policy.lets_all_pass
