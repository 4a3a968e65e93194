"""Whether the packages that FedLoom needs can be imported; of the standard library alone.

As a script it is a part of `./start.sh doctor`, which may find nothing else in the environment.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType

OF_CLIENTS: Mapping[str, str] = MappingProxyType(
    {
        "torch": "torch",
        "torchvision": "torchvision",
        "flwr": "flwr",
        "grpcio": "grpc",
        "cryptography": "cryptography",
        "scikit-learn": "sklearn",
    }
)
"""The modules of packages, by the packages' names."""

OF_SERVERS: Mapping[str, str] = MappingProxyType(
    {"flask": "flask", "flask-socketio": "flask_socketio", "eventlet": "eventlet"}
)
"""What servers need beside those."""


def versions(packages: Mapping[str, str]) -> str:
    """Which are there, for people."""
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)


def broken(packages: Mapping[str, str]) -> list[str]:
    """What cannot be imported, and why, in words."""
    return list(_broken(packages.items()))


def device() -> str:
    """What PyTorch computes on here, for people."""
    import torch

    if torch.cuda.is_available():
        return f"CUDA: {torch.cuda.get_device_name()}"
    if torch.backends.mps.is_available():
        return "MPS, the GPU of this Mac"
    return "CPU (PyTorch sees no GPU)"


def _broken(packages: Iterable[tuple[str, str]]) -> Iterable[str]:
    for package, module in packages:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001 - whatever ends an import is what is to be said
            yield f"{package} cannot be imported: {type(error).__name__}: {error}"


def _main() -> int:
    packages = {**OF_CLIENTS, **OF_SERVERS}
    problems = broken(packages)
    for text in problems:
        print(f"  {'problem':<9}{'packages':<14}{text}")
    if problems:
        print("           Remove the environment's folder; the next start makes it anew.", file=sys.stderr)
        return 1
    print(f"  {'ok':<9}{'packages':<14}{versions(packages)}")
    print(f"  {'ok':<9}{'device':<14}{device()}")
    return 0


if __name__ == "__main__":
    sys.exit(_main())
