"""What a client does for differential privacy: the same release again is the same, all else is another."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from flwr.app import RecordDict

from client.learner import Learner, Place, Site, Update
from client.privacy import SECRET_FILE, PlannedRelease, Privacy, secret_of
from client.run_releases import RunReleases
from shared.dp_spec import DpSpec
from shared.errors import PrivacyImpossible
from shared.models import build_model
from shared.privacy.accounting import Release, epsilon_of
from shared.run_spec import RunSpec

SECRET = bytes(range(32))
DP = DpSpec(noise_multiplier=1.5)
SPEC = RunSpec.model_validate({"dataset": "synthetic", "model": "linear", "dp": DP})
PLACE = Place(SPEC, part=0, parts=20)
WEIGHTS = build_model("linear", "synthetic", seed=1).state_dict()


class Spending:
    """Keeps what is entered."""

    def __init__(self) -> None:
        self.planned: list[PlannedRelease] = []

    def __call__(self, planned: PlannedRelease) -> float:
        self.planned.append(planned)
        return float(len(self.planned))


def a_learner() -> Learner:
    return Learner(Site(Path("nowhere"), max_samples=60, device="cpu"))


def trained(
    learner: Learner,
    spending: Spending,
    place: Place = PLACE,
    *,
    secret: bytes = SECRET,
    server_round: int = 1,
) -> tuple[torch.Tensor, Update]:
    update = learner.train(
        place, WEIGHTS, server_round=server_round, privacy=Privacy(secret, "ab12", spending)
    )
    return torch.cat([tensor.detach().flatten().clone() for tensor in update.weights.values()]), update


def test_a_round_that_is_repeated_is_the_same_release_in_every_bit() -> None:
    spending = Spending()

    first, update = trained(a_learner(), spending)
    again, _ = trained(a_learner(), spending)

    assert torch.equal(first, again)
    assert len({planned.id for planned in spending.planned}) == 1
    assert update.epsilon == 1.0
    assert spending.planned[0].release == Release(1.5, sample_rate=32 / 60, steps=2)


@pytest.mark.parametrize(
    "place",
    [
        replace(PLACE, part=1),
        replace(PLACE, spec=SPEC.with_changes(lr=0.1)),
        replace(PLACE, spec=SPEC.with_changes(dp=DpSpec(noise_multiplier=1.5, clipping_norm=0.5))),
        replace(PLACE, spec=SPEC.with_changes(dp=DpSpec(noise_multiplier=3.0))),
    ],
)
def test_whatever_is_asked_for_otherwise_has_other_noise(place: Place) -> None:
    """Else the difference of two updates would have none, and show the samples."""
    spending = Spending()

    trained(a_learner(), spending)
    trained(a_learner(), spending, place)

    assert len({planned.id for planned in spending.planned}) == 2


def test_two_clients_with_the_same_seed_have_their_own_noise() -> None:
    spending = Spending()

    mine, _ = trained(a_learner(), spending)
    theirs, _ = trained(a_learner(), spending, secret=bytes(32))
    later, _ = trained(a_learner(), spending, server_round=2)

    assert (mine - theirs).abs().median() > 1e-4
    assert (mine - later).abs().median() > 1e-4


def test_nothing_is_trained_where_nothing_may_be_spent() -> None:
    def refuse(planned: PlannedRelease) -> float:
        raise PrivacyImpossible("the budget is spent")

    with pytest.raises(PrivacyImpossible, match="the budget is spent"):
        a_learner().train(PLACE, WEIGHTS, server_round=1, privacy=Privacy(SECRET, "ab12", refuse))


def test_a_private_run_is_not_trained_without_privacy() -> None:
    with pytest.raises(PrivacyImpossible, match="nothing is prepared here"):
        a_learner().train(PLACE, WEIGHTS, server_round=1)


def test_a_release_counts_once_in_a_run_however_often_it_is_made() -> None:
    releases = RunReleases(RecordDict())
    first = PlannedRelease("aa", "digits", Release(1.0, 0.1, 20), 1e-5)

    once = releases.spend(first)

    assert once == epsilon_of([first.release], 1e-5)
    assert releases.spend(first) == once
    assert releases.spend(replace(first, id="bb")) == epsilon_of([first.release] * 2, 1e-5)


def test_the_secret_is_made_once_and_is_for_its_user_only(tmp_path: Path) -> None:
    secret = secret_of(tmp_path / "home")

    assert secret_of(tmp_path / "home") == secret
    assert len(secret) == 32
    assert stat.S_IMODE((tmp_path / "home" / SECRET_FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("mode", "data", "words"),
    [(0o644, bytes(32), "may be read or written by other users"), (0o600, bytes(31), "is damaged")],
)
def test_a_secret_that_is_none_is_not_used(tmp_path: Path, mode: int, data: bytes, words: str) -> None:
    path = tmp_path / SECRET_FILE
    path.write_bytes(data)
    path.chmod(mode)

    with pytest.raises(PrivacyImpossible, match=words):
        secret_of(tmp_path)
