"""The attacks succeed on clients without protection, and fail on those with it; nobody gets past epsilon."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bench.attacks.__main__ import main
from bench.attacks.experiments import Inversion, inference, inversion, pictures
from bench.attacks.inversion import picture_in
from bench.attacks.membership import largest_advantage
from shared.dp_spec import DELTA, DpSpec
from shared.secagg.masks import Masked

CLIENTS = 4


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """So small is what is computed here that a second one only waits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_without_protection_the_server_has_the_picture_to_the_last_digit() -> None:
    found = inversion(CLIENTS)

    for guess, picture in zip(found.guesses, pictures(CLIENTS), strict=True):
        np.testing.assert_allclose(guess, picture, atol=1e-4)
    assert found.likeness > 0.9999


@pytest.mark.parametrize(
    "attack", [partial(inversion, dp=DpSpec(noise_multiplier=1.0)), partial(inversion, masked=True)]
)
def test_with_noise_or_a_mask_its_guess_is_noise(attack: Callable[[int], Inversion]) -> None:
    """Correlations with 64 pixels of noise have a standard deviation of 1/8; the mean of four has 1/16."""
    assert abs(attack(CLIENTS).likeness) < 5 / 16


def test_it_is_the_mask_that_hides_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed, and weighed by one sample among 100,000, the update is coarser, and still the picture."""
    monkeypatch.setattr(Masked, "add_mask", lambda self, seed, *, sign: None)

    assert inversion(CLIENTS, masked=True).likeness > 0.9


def test_the_best_guess_from_a_product_of_two_vectors_is_the_second() -> None:
    random = np.random.default_rng(0)
    picture, errors = random.standard_normal(64), random.standard_normal(10)

    guess = picture_in(np.outer(errors, [*picture, 1.0]))

    np.testing.assert_allclose(guess, picture)


def test_members_are_told_from_others_until_there_is_noise() -> None:
    plain, private = inference(CLIENTS), inference(CLIENTS, dp=DpSpec(noise_multiplier=16.0))

    assert plain.epsilon is None
    assert plain.exposure.advantage > 0.3
    assert plain.exposure.ranking > 0.65
    assert plain.exposure.accuracy > 0.6
    assert private.epsilon == pytest.approx(1.92, abs=0.05)
    assert abs(private.exposure.advantage) < 0.25
    assert abs(private.exposure.ranking - 0.5) < 0.15


def test_the_limit_of_the_advantage_is_reached_by_an_attacker_who_sees_one_noisy_bit() -> None:
    """Randomised response: the bit is true with probability e^ε / (1 + e^ε)."""
    for epsilon in (0.1, 1.0, 3.0):
        true = math.exp(epsilon) / (1 + math.exp(epsilon))

        assert largest_advantage(epsilon, 0.0) == pytest.approx(true - (1 - true))
    assert largest_advantage(0.0, DELTA) == pytest.approx(DELTA)


def test_the_script_draws_what_it_prints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--clients", "1", "--pictures", str(tmp_path)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert "without protection           correlation with the picture  1.00" in lines
    assert [line.split()[3] for line in lines if line.startswith("DP-SGD, noise multiplier")] == ["1"] * 2 + [
        "4",
        "16",
    ]
    names = [f"inversion-{name}.png" for name in ("pictures", "plain", "dp", "masked")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    with (
        Image.open(tmp_path / "inversion-pictures.png") as real,
        Image.open(tmp_path / "inversion-plain.png") as guessed,
    ):
        assert np.abs(np.asarray(real, int) - np.asarray(guessed, int)).max() <= 1
