"""The clipped sum of the samples' gradients, for DP-SGD (Abadi et al. 2016, arXiv:1607.00133).

The gradient of each layer's output is found once for all samples; from that and the layer's input follows
what each sample adds to the layer's weights, by Opacus' rules. Of a dense layer a sample's gradient is the
product of two vectors: its norm and the clipped sum need no more than those (Bu et al. 2022,
arXiv:2210.00038), where to write down 400,000 numbers for each sample would take most of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.errors import PrivacyImpossible

Rule = Callable[[nn.Module, list[Tensor], Tensor], Mapping[Tensor, Tensor]]
"""From a layer, its inputs and the gradient of its output to each sample's gradient, by parameter."""

_NO_ZERO = 1e-6
"""Added to a norm before something is divided by it, as in Opacus."""

_REPLACED_BY: Mapping[type[nn.Module], str] = {
    nn.modules.batchnorm._BatchNorm: "GroupNorm",
    nn.modules.instancenorm._InstanceNorm: "GroupNorm or InstanceNorm without running statistics",
}
"""Layers that mix samples, or keep what they have seen, and what does their work without that."""


def require_private(model: nn.Module) -> None:
    """Raise PrivacyImpossible, naming the layer, for a model that DP-SGD cannot train."""
    seen: set[Tensor] = set()
    for name, layer in model.named_modules():
        called = f"{name or 'itself'} ({type(layer).__name__})"
        _require_kind(layer, called)
        _require_weights(layer, called, seen)
        seen.update(layer.parameters(recurse=False))


def _require_kind(layer: nn.Module, called: str) -> None:
    for kind, other in _REPLACED_BY.items():
        if isinstance(layer, kind) and getattr(layer, "track_running_stats", True):
            raise PrivacyImpossible(
                f"The model's layer {called} mixes samples or keeps what it has seen of them, so that "
                f"differential privacy is impossible. Use {other} in its place."
            )
    if getattr(layer, "inplace", False):
        raise PrivacyImpossible(
            f"The model's layer {called} works in place, which overwrites what is needed for the gradient of "
            "each sample. Use inplace=False."
        )
    if _own_weights(layer) and type(layer) not in _rules():
        raise PrivacyImpossible(
            f"It is not known how the gradient of each sample is found in the model's layer {called}, which "
            "differential privacy needs. Build the model of other layers."
        )
    if (padding := getattr(layer, "padding_mode", "zeros")) != "zeros":
        raise PrivacyImpossible(
            f"The model's layer {called} pads with {padding!r}, where Opacus' rule for the gradient of each "
            "sample takes zeros: clipped would be something else. Use padding_mode='zeros'."
        )


def _require_weights(layer: nn.Module, called: str, seen: Collection[Tensor]) -> None:
    """What the layers before have are `seen`."""
    for parameter in layer.parameters(recurse=False):
        if parameter in seen:
            raise PrivacyImpossible(
                f"The model's layer {called} shares weights with another layer. Each would be clipped by "
                "itself, and their sum could be larger than the clipping norm. Give each its own weights."
            )
        if not parameter.requires_grad:
            raise PrivacyImpossible(
                f"The model's layer {called} has frozen weights, to which noise would be added all the same. "
                "Train all weights of the model."
            )


class LayerGradients(Protocol):
    """What each sample adds to the gradient of one layer's weights."""

    def square_norms(self) -> Tensor:
        """Of each sample's gradient, (N,)."""

    def add_weighted(self, sums: Mapping[Tensor, Tensor], weights: Tensor) -> None:
        """Add the sum of the gradients, each times its weight of (N,), to what there is by parameter."""


class Factored:
    """Of a dense layer: input (N, in) and the gradient of its output (N, out)."""

    def __init__(self, layer: nn.Linear, inputs: Tensor, outputs: Tensor) -> None:
        self._layer = layer
        self._inputs = inputs
        self._outputs = outputs

    def square_norms(self) -> Tensor:
        """As LayerGradients has it."""
        of_bias = 0 if self._layer.bias is None else 1
        return self._outputs.square().sum(1) * (self._inputs.square().sum(1) + of_bias)

    def add_weighted(self, sums: Mapping[Tensor, Tensor], weights: Tensor) -> None:
        """As LayerGradients has it."""
        weighted = self._outputs * weights[:, None]
        sums[self._layer.weight].addmm_(weighted.T, self._inputs)
        if self._layer.bias is not None:
            sums[self._layer.bias].add_(weighted.sum(0))


class Written:
    """Of any layer: each sample's gradient as it is, by parameter (N, *shape)."""

    def __init__(self, by_parameter: Mapping[Tensor, Tensor]) -> None:
        self._by_parameter = {parameter: each.flatten(1) for parameter, each in by_parameter.items()}

    def square_norms(self) -> Tensor:
        """As LayerGradients has it."""
        return torch.stack([each.square().sum(1) for each in self._by_parameter.values()]).sum(0)

    def add_weighted(self, sums: Mapping[Tensor, Tensor], weights: Tensor) -> None:
        """As LayerGradients has it."""
        for parameter, each in self._by_parameter.items():
            sums[parameter].add_((weights @ each).view_as(parameter))


@dataclass
class _Seen:
    """One layer's call in a forward pass."""

    layer: nn.Module
    inputs: Tensor
    outputs: Tensor = field(repr=False)


class ClippedSum:
    """The sum of samples' gradients, each clipped to a norm, over as many batches as one likes."""

    def __init__(self, model: nn.Module, norm: float) -> None:
        """Raises PrivacyImpossible for a model that has no such gradients."""
        require_private(model)
        self._model = model
        self._norm = norm
        self._layers = [layer for layer in model.modules() if _own_weights(layer)]
        self.sums: dict[Tensor, Tensor] = {
            parameter: torch.zeros_like(parameter) for parameter in model.parameters()
        }

    def clear(self) -> None:
        """Begin a new sum."""
        for total in self.sums.values():
            total.zero_()

    def add(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Add a batch of at least one sample; returns the sum of their losses, detached, on the device."""
        with self._watched() as calls:
            loss = functional.cross_entropy(self._model(inputs), labels, reduction="sum")
        gradients = torch.autograd.grad(loss, [call.outputs for call in calls])
        with torch.no_grad():
            layers = [_of_layer(call, each) for call, each in zip(calls, gradients, strict=True)]
            norms = torch.stack([layer.square_norms() for layer in layers]).sum(0).sqrt()
            weights = (self._norm / (norms + _NO_ZERO)).clamp(max=1)
            for layer in layers:
                layer.add_weighted(self.sums, weights)
        return loss.detach()

    @contextmanager
    def _watched(self) -> Iterator[list[_Seen]]:
        """The calls of the layers with weights, as they come."""
        calls: list[_Seen] = []
        handles = [
            layer.register_forward_hook(
                lambda layer, inputs, outputs: calls.append(_Seen(layer, inputs[0].detach(), outputs))
            )
            for layer in self._layers
        ]
        try:
            yield calls
        finally:
            for handle in handles:
                handle.remove()
        if len({id(call.layer) for call in calls}) != len(self._layers) or len(calls) != len(self._layers):
            raise PrivacyImpossible(
                "A layer of the model is used several times or not at all for a sample, so that the gradient "
                "of each sample is not known, which differential privacy needs. Use each layer once."
            )


def _own_weights(layer: nn.Module) -> bool:
    return any(True for _ in layer.parameters(recurse=False))


def _of_layer(call: _Seen, outputs: Tensor) -> LayerGradients:
    if isinstance(call.layer, nn.Linear) and call.inputs.dim() == 2:
        return Factored(call.layer, call.inputs, outputs)
    return Written(_rules()[type(call.layer)](call.layer, [call.inputs], outputs))


@cache
def _rules() -> Mapping[type[nn.Module], Rule]:
    """Opacus', by the kind of layer."""
    from opacus.grad_sample import GradSampleModule  # only now: a client without privacy need not wait for it

    rules: Mapping[type[nn.Module], Rule] = GradSampleModule.GRAD_SAMPLERS
    return rules
