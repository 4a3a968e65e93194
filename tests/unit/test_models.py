"""Built-in models: size, determinism, fitness for DP-SGD, and errors."""

import threading

import pytest
import torch
from torch import nn

from shared.data.datasets import DATASETS
from shared.errors import UnknownName
from shared.models import MODELS, build_model, num_parameters


def flat_weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", MODELS)
def test_a_model_maps_samples_of_its_data_set_to_logits(name: str, dataset: str) -> None:
    info = DATASETS[dataset]
    logits = build_model(name, dataset, seed=1)(torch.zeros(2, *info.input_shape))
    assert logits.shape == (2, info.num_classes)
    assert logits.dtype == torch.float32


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
def test_the_cnn_for_28_by_28_images_has_about_1_6_megabytes(dataset: str) -> None:
    assert num_parameters(build_model("cnn", dataset, seed=0)) == 421_642


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", MODELS)
def test_the_seed_alone_decides_the_weights(name: str, dataset: str) -> None:
    torch.manual_seed(1)
    first = flat_weights(build_model(name, dataset, seed=2**63 - 1))
    torch.manual_seed(2)
    assert torch.equal(first, flat_weights(build_model(name, dataset, seed=2**63 - 1)))
    assert not torch.equal(first, flat_weights(build_model(name, dataset, seed=5)))


def test_building_a_model_leaves_the_global_random_state_alone() -> None:
    before = torch.get_rng_state()
    build_model("cnn", "mnist", seed=3)
    assert torch.equal(before, torch.get_rng_state())


def test_models_built_in_several_threads_do_not_disturb_each_other() -> None:
    expected = [flat_weights(build_model("cnn", "digits", seed)) for seed in range(8)]
    built: dict[int, torch.Tensor] = {}
    start = threading.Barrier(8)

    def build(seed: int) -> None:
        start.wait()
        built[seed] = flat_weights(build_model("cnn", "digits", seed))

    threads = [threading.Thread(target=build, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(built[seed], expected[seed]) for seed in range(8))


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", MODELS)
def test_initial_weights_lie_within_one_over_the_root_of_the_fan_in(name: str, dataset: str) -> None:
    """PyTorch's default for these layers, which a generator of our own must reproduce."""
    for module in build_model(name, dataset, seed=0).modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            bound = module.weight[0].numel() ** -0.5
            largest = module.weight.abs().max().item()
            assert 0.9 * bound < largest <= bound


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("name", MODELS)
def test_each_sample_is_treated_on_its_own_as_dp_sgd_needs(name: str, dataset: str) -> None:
    model = build_model(name, dataset, seed=0).train()
    batch = torch.randn((4, *DATASETS[dataset].input_shape), generator=torch.Generator().manual_seed(0))
    together = model(batch)
    alone = torch.cat([model(sample[None]) for sample in batch])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_an_unknown_model_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(UnknownName, match=r"no model 'resnet'.*cnn, linear"):
        build_model("resnet", "mnist", seed=0)


def test_an_unknown_data_set_is_refused_with_the_names_that_exist() -> None:
    with pytest.raises(UnknownName, match=r"no data set 'imagenet'.*digits"):
        build_model("cnn", "imagenet", seed=0)
