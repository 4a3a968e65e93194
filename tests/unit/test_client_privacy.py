"""What a client does for differential privacy: the same release again is the same, all else is another."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from client.learner import Learner, Place, Site, Update
from client.ledger.ledger import Ledger
from client.privacy import SECRET_FILE, Privacy, Training, prepare, secret_of
from shared.dp_spec import DpSpec
from shared.errors import PrivacyImpossible
from shared.models import build_model
from shared.privacy.accounting import Release, epsilon_of
from shared.run_spec import RunSpec
from tests.support.ledgers import share

SECRET = bytes(range(32))
DP = DpSpec(noise_multiplier=1.5)
SPEC = RunSpec.model_validate({"dataset": "synthetic", "model": "linear", "dp": DP})
PLACE = Place(SPEC, part=0, parts=20)
WEIGHTS = build_model("linear", "synthetic", seed=1).state_dict()
TRAINING = Training(
    spec=SPEC,
    server_round=1,
    proximal_mu=0.0,
    part=(0, 20),
    share=share(),
    weights=WEIGHTS,
    samples=60,
    data=bytes(32),
    device=torch.device("cpu"),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, "synthetic")


def a_learner() -> Learner:
    return Learner(Site(Path("nowhere"), max_samples=60, device="cpu"))


def trained(
    learner: Learner,
    ledger: Ledger,
    place: Place = PLACE,
    *,
    secret: bytes = SECRET,
    server_round: int = 1,
) -> tuple[torch.Tensor, Update]:
    update = learner.train(place, WEIGHTS, server_round=server_round, privacy=Privacy(secret, "ab12", ledger))
    return torch.cat([tensor.detach().flatten().clone() for tensor in update.weights.values()]), update


def test_a_round_that_is_repeated_is_the_same_release_in_every_bit(ledger: Ledger) -> None:
    first, update = trained(a_learner(), ledger)
    again, _ = trained(a_learner(), ledger)

    assert torch.equal(first, again)
    [entry] = ledger.entries()
    assert entry.expense.release == Release(1.5, sample_rate=32 / 60, steps=2)
    assert update.spent is not None
    assert update.spent.epsilon == epsilon_of([entry.expense.release], DP.delta)


def released(ledger: Ledger, training: Training = TRAINING, *, run: str = "ab12") -> str:
    """The name of the release, from which its noise follows."""
    expense = prepare(Privacy(SECRET, run, ledger), DP, training)[1]
    ledger.enter(expense)
    return expense.id


def test_a_round_that_is_repeated_on_a_gpu_has_other_noise_and_is_paid_for_again(ledger: Ledger) -> None:
    """Its update need not be the same in every bit."""
    on_gpu = replace(TRAINING, device=torch.device("cuda"))

    assert released(ledger, on_gpu) != released(ledger, on_gpu)
    assert len(ledger.entries()) == 2


@pytest.mark.parametrize(
    "changed",
    [
        replace(TRAINING, server_round=2),
        replace(TRAINING, proximal_mu=0.1),
        replace(TRAINING, part=(1, 20)),
        replace(TRAINING, part=(0, 21)),
        replace(TRAINING, data=bytes([1] * 32)),
        replace(TRAINING, spec=SPEC.with_changes(local_epochs=2)),
        replace(TRAINING, weights=build_model("linear", "synthetic", seed=2).state_dict()),
    ],
)
def test_no_two_trainings_that_differ_are_the_same_release(ledger: Ledger, changed: Training) -> None:
    assert released(ledger) == released(ledger)
    assert released(ledger) != released(ledger, changed)


def test_nor_are_those_of_two_runs_or_with_other_numbers_of_threads(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = released(ledger)
    assert released(ledger, run="ab13") != first

    threads = torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads + 1)
    assert released(ledger) != first


@pytest.mark.parametrize(
    "place",
    [
        replace(PLACE, part=1),
        replace(PLACE, spec=SPEC.with_changes(lr=0.1)),
        replace(PLACE, spec=SPEC.with_changes(dp=DpSpec(noise_multiplier=1.5, clipping_norm=0.5))),
        replace(PLACE, spec=SPEC.with_changes(dp=DpSpec(noise_multiplier=3.0))),
    ],
)
def test_whatever_is_asked_for_otherwise_has_other_noise(ledger: Ledger, place: Place) -> None:
    """Else the difference of two updates would have none, and show the samples."""
    trained(a_learner(), ledger)
    trained(a_learner(), ledger, place)

    assert len(ledger.entries()) == 2


def test_two_clients_with_the_same_seed_have_their_own_noise(ledger: Ledger) -> None:
    mine, _ = trained(a_learner(), ledger)
    theirs, _ = trained(a_learner(), ledger, secret=bytes(32))
    later, _ = trained(a_learner(), ledger, server_round=2)

    assert (mine - theirs).abs().median() > 1e-4
    assert (mine - later).abs().median() > 1e-4


def test_a_private_run_is_not_trained_without_privacy() -> None:
    with pytest.raises(PrivacyImpossible, match="nothing is prepared here"):
        a_learner().train(PLACE, WEIGHTS, server_round=1)


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
