"""Flower's examples, offline: Python runs this in every process that has this folder in PYTHONPATH.

Their files stay as they are. What they would download from Hugging Face is served from `stand_in_data`, and
whatever they draw at random is the same wherever they run, so that their numbers can be compared.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def serve_stand_ins(datasets: ModuleType) -> None:
    """`datasets.load_dataset` gives what this machine has."""
    from stand_in_data import load_dataset

    datasets.load_dataset = load_dataset  # type: ignore[attr-defined]


def seed_clients(module: ModuleType) -> None:
    """Every message has a seed of its own: by the client's partition, and how many there were."""
    answered: dict[int, int] = {}

    def seed(_: Any, __: Any, context: Any) -> None:
        part = int(context.node_config.get("partition-id", 0))
        answered[part] = answered.get(part, 0) + 1
        seed_all(1000 * part + answered[part])

    run_first(module.ClientApp, seed)


def seed_server(module: ModuleType) -> None:
    """The ServerApp begins with one seed."""
    run_first(module.ServerApp, lambda *_: seed_all(7))


def run_first(kind: Any, first: Callable[..., None]) -> None:
    """Have `first` called with the same arguments before each call of an object of a class."""
    call = kind.__call__

    def __call__(self: Any, *arguments: Any, **options: Any) -> Any:  # noqa: N807
        first(self, *arguments, *options.values())
        return call(self, *arguments, **options)

    kind.__call__ = __call__


def seed_all(seed: int) -> None:
    """Every generator that the process has imported."""
    import random

    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed)
    if (torch := sys.modules.get("torch")) is not None and hasattr(torch, "manual_seed"):
        torch.manual_seed(seed)


AFTER_IMPORT: dict[str, Callable[[ModuleType], None]] = {
    "datasets": serve_stand_ins,
    "flwr.clientapp.client_app": seed_clients,
    "flwr.serverapp.server_app": seed_server,
}


class AfterImport(MetaPathFinder, Loader):
    """Changes some modules as soon as they are imported."""

    def __init__(self) -> None:
        self._found: dict[str, ModuleSpec] = {}
        self._looking: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec that others find, loaded by this one."""
        if name not in AFTER_IMPORT or name in self._looking:
            return None
        self._looking.add(name)
        try:
            found = importlib.util.find_spec(name)
        finally:
            self._looking.discard(name)
        if found is None or found.loader is None:
            return None
        self._found[name] = found
        spec = importlib.util.spec_from_loader(name, self, origin=found.origin)
        assert spec is not None
        spec.submodule_search_locations = found.submodule_search_locations
        spec.has_location = True
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the real loader does it."""
        loader = self._found[spec.name].loader
        return loader.create_module(spec) if loader is not None else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then change it."""
        loader = self._found[module.__name__].loader
        assert loader is not None
        loader.exec_module(module)
        AFTER_IMPORT[module.__name__](module)


sys.meta_path.insert(0, AfterImport())
