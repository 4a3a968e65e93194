"""Which engine a run has, and whether it can have it here."""

from __future__ import annotations

from pathlib import Path

from app.federation.engines.engine import Engine
from app.federation.engines.process_engine import ProcessEngine
from app.federation.engines.simulation import program as simulation
from app.federation.engines.superlink import program as superlink
from app.federation.engines.superlink.settings import SuperLinkSettings
from app.records import Run
from shared.errors import EngineFailed, SettingsInvalid
from shared.names import EngineName
from shared.run_spec import RunSpec


def check(spec: RunSpec, superlink_settings: SuperLinkSettings | None) -> None:
    """Raise SettingsInvalid where a run cannot have its engine here."""
    match spec.engine:
        case EngineName.SIMULATION:
            simulation.check(spec)
        case EngineName.SUPERLINK:
            superlink.check(superlink_settings)


def engine_of(run: Run, data_dir: Path, superlink_settings: SuperLinkSettings | None) -> Engine | None:
    """The engine of a run; None: FedLoom's own link. Raises EngineFailed where it cannot be had, so that the
    run can go on where it can."""
    try:
        match run.spec.engine:
            case EngineName.SIMULATION:
                return ProcessEngine(run.id, simulation.program(run.spec, data_dir))
            case EngineName.SUPERLINK:
                return ProcessEngine(run.id, superlink.program(run.spec, superlink_settings))
            case EngineName.EMBEDDED:
                return None
    except SettingsInvalid as error:
        raise EngineFailed(str(error)) from error
