"""Whether a run fits the app that the server was started with, and what of its spec that app decides."""

from __future__ import annotations

from flwr.app import UserConfig

from app.federation.engines import making as engines
from app.federation.engines.superlink.settings import SuperLinkSettings
from app.federation.runs import words
from app.federation.strategies import build_strategy
from app.records import Run
from shared.errors import SettingsInvalid
from shared.flower_app import FlowerApp
from shared.rounds_key import as_the_app_has_it, rounds_in, why_unknown
from shared.run_config import fuse
from shared.run_spec import FIELDS_OF_ANY_APP, IN_ANOTHER_APP, RunSpec


def app_run_config(app: FlowerApp, spec: RunSpec) -> UserConfig:
    """The app's own run config with the run's values in place. Raises SettingsInvalid for a wrong one."""
    config = fuse(app, spec.run_config)
    if app.rounds_key is not None:
        config[app.rounds_key] = as_the_app_has_it(spec.num_rounds, app.run_config[app.rounds_key])
    return config


def fitted(spec: RunSpec, app: FlowerApp | None, superlink: SuperLinkSettings | None = None) -> RunSpec:
    """A spec that somebody asks for, as a run of the server's app takes it (None: the built-in one).

    Raises SettingsInvalid when a value does not fit the others, or the app.
    """
    name = app.name if app is not None else None
    if spec.app not in (None, name):
        raise SettingsInvalid(
            f"This server runs {name or 'the built-in app'}, not {spec.app}. "
            "A server runs the app that it was started with (--app).",
            "app",
        )
    if app is not None:
        return _fitted_to(app, spec)
    if spec.run_config:
        raise SettingsInvalid("Only another Flower app (--app) has a run config of its own.", "run_config")
    build_strategy(spec)
    engines.check(spec, superlink)
    return spec


def num_rounds(spec: RunSpec, app: FlowerApp | None) -> int | None:
    """How many rounds a run of a fitted spec has; None: its app does not say."""
    return None if app is not None and app.rounds_key is None else spec.num_rounds


def objection(run: Run, app: FlowerApp | None) -> str | None:
    """Why a run that was queued before this server started cannot go on here, in words; None when it can.

    Which version of its app it was queued with does not matter: it takes the app as it is when it begins.
    """
    name = app.name if app is not None else None
    if run.spec.app != name:
        return words.of_another_app(run, name)
    if app is None:
        return None
    try:
        app_run_config(app, run.spec)
    except SettingsInvalid as error:
        return words.does_not_fit(run, str(error))
    return None


def _fitted_to(app: FlowerApp, spec: RunSpec) -> RunSpec:
    for field in sorted(spec.model_fields_set - FIELDS_OF_ANY_APP):
        if getattr(spec, field) != RunSpec.model_fields[field].get_default(call_default_factory=True):
            why = f"{field} is for the built-in app; {app.name} has its settings in run_config."
            raise SettingsInvalid(f"{why} {IN_ANOTHER_APP.get(field, '')}".rstrip(), field)
    changes: dict[str, object] = {"app": app.name}
    rounds = rounds_in(fuse(app, spec.run_config), app.rounds_key)
    if "num_rounds" in spec.model_fields_set:
        _require_its_rounds(app, spec, rounds)
    elif rounds is not None:
        changes["num_rounds"] = rounds
    return spec.with_changes(**changes)


def _require_its_rounds(app: FlowerApp, spec: RunSpec, configured: int | None) -> None:
    """Raise SettingsInvalid where the spec's number of rounds would be ignored."""
    if app.rounds_key is None:
        raise SettingsInvalid(
            f"num_rounds cannot be set: {why_unknown(app.run_config)}. Leave it out, and {app.name} runs as "
            "many as it does by itself, or start the server with --rounds-key and the key that says it.",
            "num_rounds",
        )
    if app.rounds_key in spec.run_config and configured != spec.num_rounds:
        raise SettingsInvalid(
            f"num_rounds {spec.num_rounds} and the {app.rounds_key} in run_config contradict each other; "
            "give one.",
            "num_rounds",
        )
