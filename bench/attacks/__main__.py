"""`python -m bench.attacks`: carries the attacks out on digits, prints what they find, and draws it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from bench.attacks.experiments import (
    MEMBERS,
    PARTS,
    Inference,
    Inversion,
    inference,
    inversion,
    pictures,
)
from bench.attacks.membership import largest_advantage
from bench.attacks.pictures import write_row
from shared.dp_spec import DELTA, DpSpec

FOLDER = Path("docs/images")
CLIENTS = 8
NOISE = (1.0, 4.0, 16.0)
"""Noise multipliers with which they train."""


def main(argv: list[str] | None = None) -> int:
    """Everything in a minute or two, with 0 as exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.attacks", description=__doc__)
    parser.add_argument(
        "--pictures", type=Path, default=FOLDER, metavar="DIR", help="where to draw (%(default)s)"
    )
    parser.add_argument(
        "--clients",
        type=int,
        choices=range(1, PARTS + 1),
        default=CLIENTS,
        metavar="N",
        help=f"to attack, each in turn: up to {PARTS} (%(default)s)",
    )
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)  # of which a second one would only wait, so small are the models
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    for line in _inversions(arguments.clients, arguments.pictures):
        print(line, flush=True)
    print()
    for line in _inferences(arguments.clients):
        print(line, flush=True)
    return 0


def _inversions(clients: int, folder: Path) -> Iterator[str]:
    yield "Gradient inversion: a client's only picture, guessed from its update of a linear model"
    write_row(pictures(clients), folder / "inversion-pictures.png")
    seen = {
        "plain": ("without protection", inversion(clients)),
        "dp": ("DP-SGD, noise multiplier 1", inversion(clients, dp=DpSpec(noise_multiplier=1.0))),
        "masked": ("masked update", inversion(clients, masked=True)),
    }
    for name, (words, found) in seen.items():
        write_row(found.guesses, folder / f"inversion-{name}.png")
        yield _likeness(words, found)
    yield f"drawn in {folder}"


def _inferences(clients: int) -> Iterator[str]:
    yield f"Membership inference: was a picture among the {MEMBERS} that a CNN has learnt by heart?"
    yield f"{'':27}  epsilon  advantage  at most  ranking  accuracy"
    yield _exposure("without protection", inference(clients))
    for noise in NOISE:
        found = inference(clients, dp=DpSpec(noise_multiplier=noise))
        yield _exposure(f"DP-SGD, noise multiplier {noise:g}", found)


def _likeness(words: str, found: Inversion) -> str:
    return f"{words:27}  correlation with the picture {found.likeness:5.2f}"


def _exposure(words: str, found: Inference) -> str:
    attack, epsilon = found.exposure, found.epsilon
    spent, limit = ("–", 1.0) if epsilon is None else (f"{epsilon:.2f}", largest_advantage(epsilon, DELTA))
    numbers = f"{attack.advantage:9.2f}  {limit:7.2f}  {attack.ranking:7.2f}  {attack.accuracy:8.2f}"
    return f"{words:27}  {spent:>7}  {numbers}"


if __name__ == "__main__":
    sys.exit(main())
