"""The built-in models, by name.

No model uses batch normalisation or dropout: batch statistics mix the samples of a client, which DP-SGD
forbids, and averaged running statistics hurt on skewed data (Hsieh et al. 2020, arXiv:1910.00189).
"""

import math
from typing import Final

import torch
from torch import Tensor, nn

from shared.data.datasets import dataset_info
from shared.errors import UnknownName

MODELS: Final = ("cnn", "linear")


class Linear(nn.Module):
    """Multinomial logistic regression: (N, C, H, W) -> (N, num_classes) logits."""

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(math.prod(input_shape), num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.fc(inputs.flatten(1))
        return logits


class GreyCnn(nn.Module):
    """Two convolutions and two dense layers for small grey images: (N, 1, H, W) -> (N, num_classes) logits.

    For 28 x 28 it has 421,642 parameters (1.7 MB): the CNN of McMahan et al. 2017 (arXiv:1602.05629) with
    3 x 3 kernels and a dense layer of 128.
    """

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        self.features = nn.Sequential(
            nn.Conv2d(channels, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Linear(64 * (height // 4) * (width // 4), 128),
            nn.ReLU(),
            nn.Linear(128, num_classes),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(inputs).flatten(1))
        return logits


class TinyCnn(nn.Module):
    """Two convolutions for tiny grey images: (N, 1, H, W) -> (N, num_classes) logits.

    8 x 8 pixels have nothing to spare for pooling, and with a dozen steps per round a single dense layer
    learns faster than two.
    """

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        self.features = nn.Sequential(
            nn.Conv2d(channels, 32, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 32, kernel_size=3, padding=1),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(32 * height * width, num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(inputs).flatten(1))
        return logits


class ColourCnn(nn.Module):
    """Three blocks of two convolutions for small photographs: (N, 3, H, W) -> (N, num_classes) logits.

    Group normalisation (Wu & He 2018, arXiv:1803.08494) keeps the depth trainable at the default learning
    rate, and works sample by sample.
    """

    def __init__(self, input_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        channels, height, width = input_shape
        layers: list[nn.Module] = []
        for width_out in (32, 64, 128):
            for _ in range(2):
                layers += [
                    nn.Conv2d(channels, width_out, kernel_size=3, padding=1, bias=False),
                    nn.GroupNorm(8, width_out),
                    nn.ReLU(),
                ]
                channels = width_out
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels * (height // 8) * (width // 8), num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.classifier(self.features(inputs).flatten(1))
        return logits


def build_model(name: str, dataset: str, seed: int) -> nn.Module:
    """A model by name for a data set, on the CPU in float32, its weights a function of `seed` alone.

    PyTorch's global random state is neither used nor changed, so that threads may build models side by side.

    Raises:
        UnknownName: no such model or data set.
    """
    info = dataset_info(dataset)
    architecture: type[Linear | TinyCnn | GreyCnn | ColourCnn]
    match name, info.input_shape:
        case "linear", _:
            architecture = Linear
        case "cnn", (3, _, _):
            architecture = ColourCnn
        case "cnn", (1, height, _):
            architecture = TinyCnn if height < 16 else GreyCnn
        case _:
            raise UnknownName(f"There is no model {name!r}. Choose one of: {', '.join(MODELS)}.")
    with torch.device("meta"):
        model = architecture(info.input_shape, info.num_classes)
    model.to_empty(device="cpu")
    _initialise(model, torch.Generator().manual_seed(seed))
    return model


def num_parameters(model: nn.Module) -> int:
    """How many trainable numbers the model holds."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _initialise(model: nn.Module, generator: torch.Generator) -> None:
    """Fill the weights as PyTorch does by default: uniform within 1 / sqrt(fan-in), norms neutral."""
    for module in model.modules():
        match module:
            case nn.Linear() | nn.Conv2d():
                bound = 1 / math.sqrt(module.weight[0].numel())
                nn.init.uniform_(module.weight, -bound, bound, generator=generator)
                if module.bias is not None:
                    nn.init.uniform_(module.bias, -bound, bound, generator=generator)
            case nn.GroupNorm():
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
