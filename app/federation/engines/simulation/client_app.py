"""The ClientApp as Ray's workers load it."""

from __future__ import annotations

from importlib import import_module

from flwr.clientapp import ClientApp


def load(reference: str, threads: int) -> ClientApp:
    """The ClientApp named `module:attribute`, in a worker that computes with so many threads."""
    import torch  # in the worker, and not where this module is named

    torch.set_num_threads(threads)
    module, _, name = reference.partition(":")
    client_app: ClientApp = getattr(import_module(module), name)
    return client_app
