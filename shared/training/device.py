"""The device that a model is trained on."""

from __future__ import annotations

import torch

from shared.errors import DeviceUnavailable


def resolve_device(name: str = "auto") -> torch.device:
    """The device by its PyTorch name, or for "auto" the best there is: CUDA, then MPS, then the CPU.

    Raises:
        DeviceUnavailable: the name is unknown or this machine has no such device.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise DeviceUnavailable(f"{name!r} is not a device. Use auto, cpu, cuda, cuda:N or mps.") from error
    present = {
        "cpu": True,
        "cuda": (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        raise DeviceUnavailable(
            f"The device {name!r} was asked for, but PyTorch finds no such device on this machine. "
            'Use "auto" to take the best one there is, or "cpu".'
        )
    return device
