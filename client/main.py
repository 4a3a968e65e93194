"""Starts a client: loads its app, checks the data, then serves the link until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Callable
from dataclasses import dataclass

import torch
from flwr.app import Context, Message, UserConfig

from client import client_app
from client.fresh_app import FreshApp
from client.learner import Site
from client.link import ClientIdentity, Link
from client.log_shipping import LinkLogHandler
from client.runtime import Runtime
from client.settings import ClientSettings
from shared.console import configure_logging
from shared.data.datasets import load_train_labels
from shared.errors import FedLoomError
from shared.flower_app import FlowerApp, compare
from shared.interrupt import cancel_on_signals, end_on_signals
from shared.models import MODELS
from shared.training import resolve_device, warm_up

log = logging.getLogger(__name__)

WARM_UP_BATCH = 32
STOP_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Job:
    """What this client does: an app, what the app gets to know of this client, and what the server does."""

    app: Callable[[Message, Context], Message]
    node_config: UserConfig
    identity: ClientIdentity


def run(settings: ClientSettings) -> int:
    """Run a client until SIGINT or SIGTERM; returns the exit code."""
    configure_logging(settings.client_id)
    end_on_signals()
    try:
        # Clients that start together would otherwise fight for the cores; a run's assignment gives more.
        torch.set_num_threads(settings.threads or 1)
        job = _prepare_built_in(settings) if settings.app is None else _prepare_app(settings, settings.app)
        asyncio.run(_serve(settings, job))
    except FedLoomError as error:
        log.error("%s", error)
        return 1
    except KeyboardInterrupt:
        log.info("stopped")
    return 0


def _prepare_built_in(settings: ClientSettings) -> Job:
    """Everything that could fail or take long, before the server hears of this client."""
    device = resolve_device(settings.device)
    log.info("preparing: data set %s, device %s", settings.dataset, device)
    samples = len(load_train_labels(settings.dataset, settings.data_dir))
    for model in MODELS:
        warm_up(model, settings.dataset, device, WARM_UP_BATCH)
    log.info("ready: %s with %s training samples in all", settings.dataset, f"{samples:,}")
    return Job(
        app=client_app.app,
        node_config=client_app.node_config_of(
            Site(settings.data_dir, settings.dataset, settings.max_samples, settings.device),
            private_labels=settings.private_labels,
        ),
        identity=ClientIdentity(
            client_id=settings.client_id,
            dataset=settings.dataset,
            models=MODELS,
            host=platform.node(),
            device=str(device),
        ),
    )


def _prepare_app(settings: ClientSettings, app: FlowerApp) -> Job:
    """The same for another Flower app, whose data is its own affair."""
    log.info("preparing: Flower app %s %s in %s", app.name, app.version, app.folder)
    client_app = FreshApp(app)
    log.info("ready: %s", app.clientapp)
    return Job(
        app=client_app,
        node_config=settings.node_config,
        identity=ClientIdentity(
            client_id=settings.client_id,
            dataset="",
            models=(),
            host=platform.node(),
            device=str(resolve_device()),
            app=app.identity(),
        ),
    )


async def _serve(settings: ClientSettings, job: Job) -> None:
    runtime = Runtime(job.app, job.node_config, settings.threads)
    runtime.start()
    link = Link(
        settings.server, job.identity, runtime, app_objection=lambda theirs: compare(theirs, settings.app)
    )
    handler = LinkLogHandler(link.send_log)
    logging.getLogger().addHandler(handler)
    serving = asyncio.create_task(link.run())
    cancel_on_signals(serving)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("stopped")
    finally:
        logging.getLogger().removeHandler(handler)
        runtime.stop(STOP_TIMEOUT_S)
