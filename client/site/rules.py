"""The rules that need no memory: whether a site takes part in a run, by what the server says of it. Pure.

What a server says can be a lie, but for the app: that is this client's own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from client.site.policy import BUILT_IN, Policy, Protection
from shared.app_host.text import shortened
from shared.errors import FedLoomError, SettingsInvalid
from shared.run_spec import RunSpec
from shared.secagg.noise import shared_noise_of
from shared.wire import ConfigScalar

MAX_SHOWN = 200

PROTECTIONS: Mapping[Protection, str] = MappingProxyType(
    {
        Protection.DP: "differential privacy at the client",
        Protection.DISTRIBUTED_DP: "noise that its clients share inside a masked sum",
        Protection.SECAGG: "secure aggregation",
    }
)
"""What a site can require, in words."""

OF_THE_BUILT_IN_APP: Mapping[str, str] = MappingProxyType(
    {
        "strategies": "which one",
        "models": "which one",
        "require": "what protection",
        "minimum_noise": "what noise",
        "privacy_budget": "what privacy",
    }
)
"""Rules about what only the built-in app is known to have."""


class Declined(FedLoomError):
    """The site takes no part, by this `rule`: of its policy, or of what it is asked to do."""

    def __init__(self, rule: str, words: str) -> None:
        super().__init__(words)
        self.rule = rule

    @property
    def line(self) -> str:
        """The words, which name the rule."""
        words = str(self)
        return words if words.startswith(self.rule) else f"{self.rule}: {words}"


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run in which a client has a place. `app`: the digest of the client's own; None: the
    built-in one."""

    server: str
    """The id of its key."""
    run: str
    clients: int
    config: tuple[tuple[str, ConfigScalar], ...]
    app: str | None = None
    app_name: str = "the built-in app"

    @cached_property
    def digest(self) -> str:
        """Of all that somebody agrees to who confirms the run. How many take part may change."""
        said = json.dumps([self.server, self.run, self.app, sorted(self.config)])
        return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()

    def setting(self, key: str) -> str | None:
        """One of the run's settings, as the server says it."""
        value = dict(self.config).get(key)
        return None if value is None else shown(value)

    def has(self, protection: Protection) -> bool:
        """Whether the built-in app protects what it sends in this run."""
        try:
            spec = RunSpec.from_run_config(dict(self.config))
        except SettingsInvalid:
            return False  # it will do nothing with them
        match protection:
            case Protection.DP:
                return spec.dp is not None
            case Protection.DISTRIBUTED_DP:
                return self.shared_noise is not None
            case Protection.SECAGG:
                return spec.secure_aggregation is not None

    @property
    def shared_noise(self) -> float | None:
        """The noise multiplier of what all clients of the built-in app add together; None: they add none."""
        try:
            privacy = shared_noise_of(RunSpec.from_run_config(dict(self.config)))
        except SettingsInvalid:
            return None
        return None if privacy is None else privacy.noise_multiplier

    def __str__(self) -> str:
        """The run for who has to confirm it."""
        if self.app is not None:
            what = f"the Flower app {shown(self.app_name)} (SHA-256 {self.app})"
        else:
            what = "{} on {} by {}, {} rounds".format(
                *(self.setting(key) or "?" for key in ("model", "dataset", "strategy", "num-server-rounds"))
            )
        clients = f"{self.clients} client{'' if self.clients == 1 else 's'}"
        return f"run {self.run} at the server {self.server[:13]}…: {what}, {clients}"


def objection(policy: Policy, run: RunFacts, cohort: int) -> Declined | None:
    """Why a site takes no part in a round that asks so many clients (0: not known); None: it does."""
    return (
        _too_few(policy, run, cohort)
        or _app(policy, run)
        or _setting(policy, run)
        or _unprotected(policy, run)
        or _too_little_noise(policy, run)
    )


def shown(value: object) -> str:
    """What a server has sent, fit for a terminal."""
    text = shortened(str(value), MAX_SHOWN)
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _too_few(policy: Policy, run: RunFacts, cohort: int) -> Declined | None:
    minimum = policy.minimum_cohort
    if minimum is None:
        return None
    if run.clients < minimum:
        return Declined("minimum_cohort", f"minimum_cohort = {minimum}, and the run has {run.clients}")
    if 0 < cohort < minimum:
        return Declined("minimum_cohort", f"minimum_cohort = {minimum}, and this round asks {cohort}")
    return None


def _app(policy: Policy, run: RunFacts) -> Declined | None:
    name = BUILT_IN if run.app is None else run.app
    if policy.apps is not None:
        if name in policy.apps:
            return None
        called = "the built-in app" if run.app is None else f"the app {shown(run.app_name)} ({name[:12]}…)"
        return Declined("apps", f"apps names those that may run, and {called} is not among them")
    if run.app is None:
        return None
    for rule, what in OF_THE_BUILT_IN_APP.items():
        if getattr(policy, rule) is not None:
            return Declined(
                rule,
                f"{rule} is given, and {what} another Flower app has nobody can know. "
                "An app whose digest stands in apps is taken all the same",
            )
    return None


def _unprotected(policy: Policy, run: RunFacts) -> Declined | None:
    """What the built-in app is asked to do it does, so that this is nobody's word."""
    if run.app is not None:
        return None
    for protection in policy.protections:
        if run.has(protection):
            continue
        words = f"the run has no {PROTECTIONS[protection]}"
        if protection in (policy.require or ()):
            return Declined("require", f"require = {', '.join(policy.require or ())}, and {words}")
        return Declined(
            "privacy_budget", f"privacy_budget is given, and {words}: it would spend more than any"
        )
    return None


def _too_little_noise(policy: Policy, run: RunFacts) -> Declined | None:
    """What all are told of the noise they have signed, so that it is not the server's word alone."""
    minimum = policy.minimum_noise
    if minimum is None or run.app is not None:
        return None
    noise = run.shared_noise
    if noise is not None and noise >= minimum:
        return None
    found = "its clients share none" if noise is None else f"the run has {noise:g}"
    return Declined("minimum_noise", f"minimum_noise = {minimum:g}, and {found}")


def _setting(policy: Policy, run: RunFacts) -> Declined | None:
    if run.app is not None:
        return None
    for rule, key, allowed in (
        ("strategies", "strategy", policy.strategies),
        ("models", "model", policy.models),
    ):
        if allowed is not None and (value := run.setting(key)) not in allowed:
            said = "the run does not say which it has" if value is None else f"the run has {value}"
            return Declined(rule, f"{rule} = {', '.join(allowed)}, and {said}")
    return None
