"""Starts a client: checks the data, warms up, then serves the link until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import platform

import torch
from flwr.app import UserConfig

from client import fl_client
from client.link import ClientIdentity, Link
from client.log_shipping import LinkLogHandler
from client.runtime import Runtime
from client.settings import ClientSettings
from shared.console import configure_logging
from shared.datasets import load_train_labels
from shared.errors import FedLoomError
from shared.interrupt import cancel_on_signals, end_on_signals
from shared.models import MODELS
from shared.training import resolve_device, warm_up

log = logging.getLogger(__name__)

WARM_UP_BATCH = 32
STOP_TIMEOUT_S = 2.0


def run(settings: ClientSettings) -> int:
    """Run a client until SIGINT or SIGTERM; returns the exit code."""
    configure_logging(settings.client_id)
    end_on_signals()
    try:
        device = _prepare(settings)
        asyncio.run(_serve(settings, str(device)))
    except FedLoomError as error:
        log.error("%s", error)
        return 1
    except KeyboardInterrupt:
        log.info("stopped")
    return 0


def _prepare(settings: ClientSettings) -> torch.device:
    """Everything that could fail or take long, before the server hears of this client."""
    device = resolve_device(settings.device)
    log.info("preparing: data set %s, device %s", settings.dataset, device)
    # Clients that start together would otherwise fight for the cores; a run's assignment gives more.
    torch.set_num_threads(settings.threads or 1)
    samples = len(load_train_labels(settings.dataset, settings.data_dir))
    for model in MODELS:
        warm_up(model, settings.dataset, device, WARM_UP_BATCH)
    log.info("ready: %s with %s training samples in all", settings.dataset, f"{samples:,}")
    return device


async def _serve(settings: ClientSettings, device: str) -> None:
    runtime = Runtime(fl_client.app, _node_config(settings), settings.threads)
    runtime.start()
    identity = ClientIdentity(
        client_id=settings.client_id,
        dataset=settings.dataset,
        models=MODELS,
        host=platform.node(),
        device=device,
    )
    link = Link(settings.server, identity, runtime)
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


def _node_config(settings: ClientSettings) -> UserConfig:
    return {
        "dataset": settings.dataset,
        "data-dir": str(settings.data_dir),
        "max-samples": settings.max_samples,
        "device": settings.device,
    }
