"""What a client trains with, looked at and warmed up before anybody hears of the client."""

from __future__ import annotations

import logging

import torch

from client.learner import Site
from client.settings import ClientSettings
from shared.data.datasets import load_train_labels
from shared.models import MODELS
from shared.training import resolve_device, warm_up

WARM_UP_BATCH = 32

log = logging.getLogger(__name__)


def prepared_site(settings: ClientSettings) -> tuple[Site, torch.device]:
    """Where it trains, and on which device. Raises DatasetUnavailable and DeviceUnavailable."""
    device = resolve_device(settings.device)
    log.info("preparing: data set %s, device %s", settings.dataset, device)
    samples = len(load_train_labels(settings.dataset, settings.data_dir))
    for model in MODELS:
        warm_up(model, settings.dataset, device, WARM_UP_BATCH)
    log.info("ready: %s with %s training samples in all", settings.dataset, f"{samples:,}")
    return Site(settings.data_dir, settings.dataset, settings.max_samples, settings.device), device
