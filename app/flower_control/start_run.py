"""`flwr run`: a run of the server's own app, if that is what was sent."""

from __future__ import annotations

from app.flower_control.bundle import difference, read_bundle
from app.settings import ServerSettings
from shared.errors import AppInvalid, SettingsInvalid
from shared.flower_control import StartRunRequest, overrides_of
from shared.run_spec import FIELDS_OF_ANY_APP, RunSpec

MAX_OVERRIDES = 1_000

SAID_BY_FLWR = frozenset({"app", "run_config", "num_rounds"})
"""What of a run the command itself says; the rest is as the server was started with."""


def spec_of(request: StartRunRequest, settings: ServerSettings) -> RunSpec:
    """The run that is asked for. Raises AppInvalid for another app, SettingsInvalid or pydantic's
    ValidationError for what cannot be asked of this server, each in words."""
    if (refusal := _beyond_this_server(request)) is not None:
        raise SettingsInvalid(refusal)
    if (refusal := difference(settings.app, read_bundle(request.fab.content))) is not None:
        raise AppInvalid(refusal)
    given = {name: getattr(settings.spec, name) for name in FIELDS_OF_ANY_APP - SAID_BY_FLWR}
    return RunSpec.model_validate({**given, "run_config": _overrides(request)})


def _beyond_this_server(request: StartRunRequest) -> str | None:
    """What of a request has no meaning here, in words."""
    if request.app_spec:
        return (
            f"This server fetches no app from elsewhere, so it cannot run {request.app_spec[:100]!r}. Use "
            "`flwr run` with the folder of the app that the server was started with."
        )
    if request.federation:
        return (
            "This server has no federations: all clients that have joined it take part in its runs. Leave "
            "out --federation, and `federation` in Flower's configuration file."
        )
    if request.HasField("override_federation_config"):
        return (
            "This server simulates no clients: those take part that have joined it. Leave out "
            "--federation-config, and `options` in Flower's configuration file."
        )
    if (
        request.HasField("series_id")
        or request.user_prompt
        or request.connector_ids
        or request.connector_refs
    ):
        return "This server runs no agents: it takes neither prompts nor connectors."
    return None


def _overrides(request: StartRunRequest) -> dict[str, bool | int | float | str]:
    if len(request.override_config) > MAX_OVERRIDES:
        raise SettingsInvalid(f"--run-config has more than {MAX_OVERRIDES:,} values.")
    try:
        return overrides_of(request)
    except ValueError as error:
        raise SettingsInvalid(f"--run-config cannot be read: {error}.") from error
