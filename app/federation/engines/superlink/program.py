"""What is started for a run whose clients are the SuperNodes of a SuperLink."""

from __future__ import annotations

from app.federation.engines.process_engine import Program
from app.federation.engines.simulation.program import CLIENT_APP
from app.federation.engines.superlink.settings import SuperLinkSettings
from shared.errors import SettingsInvalid
from shared.run_spec import RunSpec

END_S = 10.0
"""How long the SuperLink may take to be told that a run is over."""


def check(settings: SuperLinkSettings | None) -> SuperLinkSettings:
    """Raise SettingsInvalid where this server has no SuperLink; returns it."""
    if settings is None:
        raise SettingsInvalid(
            "This server has no SuperLink. Start it with --superlink and the address of one.", "engine"
        )
    return settings


def program(spec: RunSpec, settings: SuperLinkSettings | None) -> Program:
    """Raises SettingsInvalid as `check` does."""
    superlink = check(settings)
    certificates, secret = superlink.root_certificates, superlink.secret_file
    return Program(
        name="The run on Flower's SuperLink",
        what=f"SuperNodes of the SuperLink at {superlink.address}",
        module="app.federation.engines.superlink.process",
        begin={
            "address": superlink.address,
            "insecure": superlink.insecure,
            "root_certificates": None if certificates is None else str(certificates.absolute()),
            "secret_file": None if secret is None else str(secret.absolute()),
            "run_config": spec.to_run_config(),
            "client_app": CLIENT_APP,
        },
        end_s=END_S,
    )
