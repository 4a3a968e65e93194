"""Names and numbers that both ends and the command lines share, free of heavy imports."""

from __future__ import annotations

import re
from enum import StrEnum


class DatasetName(StrEnum):
    DIGITS = "digits"
    MNIST = "mnist"
    FASHION_MNIST = "fashion-mnist"
    CIFAR10 = "cifar10"
    SYNTHETIC = "synthetic"


class ModelName(StrEnum):
    CNN = "cnn"
    LINEAR = "linear"


class StrategyName(StrEnum):
    FEDAVG = "fedavg"
    FEDPROX = "fedprox"
    FEDAVGM = "fedavgm"
    FEDADAM = "fedadam"
    FEDYOGI = "fedyogi"
    FEDADAGRAD = "fedadagrad"
    QFEDAVG = "qfedavg"
    FEDMEDIAN = "fedmedian"
    FEDTRIMMEDAVG = "fedtrimmedavg"
    KRUM = "krum"
    MULTIKRUM = "multikrum"
    BULYAN = "bulyan"
    DPFEDAVG_FIXED = "dpfedavg-fixed"
    DPFEDAVG_ADAPTIVE = "dpfedavg-adaptive"


class EngineName(StrEnum):
    """What carries a run's messages to its clients."""

    EMBEDDED = "embedded"
    SIMULATION = "simulation"
    SUPERLINK = "superlink"


CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""A client's name, which is also one of a file."""

PARTS_IN_TURN = "parts-in-turn"
"""What the node config of the built-in ClientApp says where its process works for many clients."""

BUDGET_RULE = "privacy_budget"
"""The rule of a site's policy by which it declines where no privacy is left to spend."""

DEFAULT_WEB_PORT = 5000
DEFAULT_LINK_PORT = 5050
