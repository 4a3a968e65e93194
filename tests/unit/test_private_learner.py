"""A learner in a private run: what it lets out stands in its ledger first, once, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from client.learner import Learner, Place, Site, Weights
from client.ledger.entry import Expense
from client.ledger.journal import Journal
from client.ledger.ledger import Ledger, LedgerUnusable, ledger_file
from client.privacy import Privacy, secret_of
from client.site.policy import Budget
from client.site.rules import Declined
from shared.errors import Cancelled
from shared.models import build_model
from shared.run_spec import RunSpec
from shared.training import BatchProgress

SPEC = RunSpec.model_validate(
    {"dataset": "synthetic", "model": "linear", "batch_size": 256, "dp": {"noise_multiplier": 1.0}}
)
SITE = Site(Path("nowhere"), device="cpu")
PLACE = Place(SPEC, part=0, parts=2)
RUN = "0000002a"


def initial() -> Weights:
    return build_model(SPEC.model, SPEC.dataset, seed=1).state_dict()


def flat(weights: Weights) -> Tensor:
    return torch.cat([tensor.flatten() for tensor in weights.values()])


def train(home: Path, place: Place = PLACE, budget: Budget | None = None, server_round: int = 1) -> Tensor:
    """An update by a client that was started just now."""
    privacy = Privacy(secret_of(home), RUN, Ledger(home, "synthetic", "client-1", budget))
    return flat(
        Learner(SITE).train(place, initial(), server_round=server_round, privacy=privacy).weights
    ).clone()


def expenses(home: Path) -> list[Expense]:
    return [entry.expense for entry in Ledger(home, "synthetic").entries()]


def test_an_update_stands_in_the_ledger_with_all_that_its_cost_follows_from(tmp_path: Path) -> None:
    train(tmp_path)

    [expense] = expenses(tmp_path)
    assert (expense.run, expense.round, expense.share.part) == (RUN, 1, 0)
    assert expense.share.division.startswith("2 parts, alpha 0.5, seed 0 (")
    assert (expense.noise_multiplier, expense.delta) == (1.0, 1e-5)
    samples = round(256 / expense.sample_rate)
    assert expense.steps == -(-samples // 256)


def test_a_round_that_is_repeated_after_a_restart_counts_once(tmp_path: Path) -> None:
    first = train(tmp_path)

    assert torch.equal(train(tmp_path), first)
    assert len(expenses(tmp_path)) == 1


def test_clients_of_one_folder_have_shares_without_a_sample_in_common(tmp_path: Path) -> None:
    for part in (0, 1):
        train(tmp_path, Place(SPEC, part=part, parts=2))
    train(tmp_path, Place(SPEC.with_changes(seed=9), part=0, parts=2))

    one, other, elsewhere = (expense.share for expense in expenses(tmp_path))
    assert one.division == other.division
    assert (one.part, other.part) == (0, 1)
    assert elsewhere.division != one.division


def test_what_the_budget_has_no_room_for_is_not_even_computed(tmp_path: Path) -> None:
    def never(batch: BatchProgress) -> None:
        raise AssertionError("it trains")

    privacy = Privacy(secret_of(tmp_path), RUN, Ledger(tmp_path, "synthetic", budget=Budget(0.01, 1e-5)))

    with pytest.raises(Declined, match=r"^privacy_budget = 0\.01, of which 0\.00 is spent on synthetic"):
        Learner(SITE).train(PLACE, initial(), server_round=1, privacy=privacy, on_batch=never)

    assert expenses(tmp_path) == []


def test_a_training_that_is_given_up_costs_nothing(tmp_path: Path) -> None:
    def cancel(batch: BatchProgress) -> None:
        raise Cancelled("it is no longer wanted")

    privacy = Privacy(secret_of(tmp_path), RUN, Ledger(tmp_path, "synthetic"))

    with pytest.raises(Cancelled):
        Learner(SITE).train(PLACE, initial(), server_round=1, privacy=privacy, on_batch=cancel)

    assert expenses(tmp_path) == []


def test_an_update_that_cannot_be_entered_is_not_let_out(tmp_path: Path) -> None:
    train(tmp_path)
    ledger = Ledger(tmp_path, "synthetic")
    privacy = Privacy(secret_of(tmp_path), RUN, ledger)

    def take_it_away(batch: BatchProgress) -> None:
        ledger_file(tmp_path, "synthetic").unlink(missing_ok=True)

    with pytest.raises(LedgerUnusable, match="Nothing that was learned from synthetic leaves this client"):
        Learner(SITE).train(PLACE, initial(), server_round=2, privacy=privacy, on_batch=take_it_away)

    assert Journal(ledger_file(tmp_path, "synthetic")).read() == ()
