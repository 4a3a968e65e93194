"""The ledger of a data set: what stands in it, when it lets a client spend, and when it lets nobody."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from client.ledger.journal import Journal
from client.ledger.ledger import Ledger, LedgerUnusable, datasets_in, ledger_file
from client.ledger.spending import Spending
from client.site.policy import Budget
from client.site.rules import Declined
from tests.support.ledgers import expense, share

DELTA = 1e-5


def epsilon_of(*numbers: int) -> float:
    return Spending(expense(number) for number in numbers).epsilon(DELTA)


def budget_for(rounds: int) -> Budget:
    return Budget(epsilon_of(*range(1, rounds + 1)) + 1e-6, DELTA)


def test_what_is_entered_stands_in_it_after_a_restart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "digits", "client-1", clock=lambda: 12.5)

    spent = ledger.enter(expense(1))

    (entry,) = Ledger(tmp_path, "digits").entries()
    assert entry.expense == expense(1)
    assert (entry.client, entry.time, entry.budget) == ("client-1", 12.5, None)
    assert spent.epsilon == spent.of_run == epsilon_of(1)
    assert spent.budget is None


def test_the_same_update_is_entered_once_by_whichever_process(tmp_path: Path) -> None:
    Ledger(tmp_path, "digits").enter(expense(1))

    spent = Ledger(tmp_path, "digits").enter(expense(1))

    assert spent.epsilon == epsilon_of(1)
    assert len(Ledger(tmp_path, "digits").entries()) == 1


def test_each_data_set_has_its_own(tmp_path: Path) -> None:
    Ledger(tmp_path, "digits").enter(expense(1))

    spent = Ledger(tmp_path, "mnist").enter(expense(2))

    assert spent.epsilon == epsilon_of(2)
    assert datasets_in(tmp_path) == ["digits", "mnist"]


def test_the_runs_before_count_and_the_share_of_one_is_told(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "digits")
    ledger.enter(expense(1, run="first"))

    spent = ledger.enter(expense(2, run="second"))

    assert spent.epsilon == pytest.approx(epsilon_of(1, 2))
    assert spent.of_run == epsilon_of(2)


def test_at_the_budget_the_site_declines_and_nothing_is_entered(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "digits", budget=budget_for(2))
    for number in (1, 2):
        ledger.require(expense(number))
        assert ledger.enter(expense(number)).budget == budget_for(2).epsilon

    for ask in (ledger.require, ledger.enter):
        with pytest.raises(Declined, match=r"^privacy_budget = .* is spent on digits, and this round") as no:
            ask(expense(3))
        assert no.value.rule == "privacy_budget"

    assert len(ledger.entries()) == 2


def test_at_the_budget_an_update_that_was_paid_for_may_be_made_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "digits", budget=budget_for(1))
    ledger.enter(expense(1))

    ledger.require(expense(1))

    assert ledger.enter(expense(1)).epsilon == epsilon_of(1)


def test_two_clients_of_a_home_spend_from_one_budget(tmp_path: Path) -> None:
    one, other = (Ledger(tmp_path, "digits", budget=budget_for(2)) for _ in range(2))
    one.require(expense(2))  # it has room, and trains
    other.enter(expense(1))
    other.enter(expense(3))

    with pytest.raises(Declined, match="privacy_budget"):
        one.enter(expense(2))


def test_clients_with_different_samples_do_not_spend_from_each_other(tmp_path: Path) -> None:
    one, other = (Ledger(tmp_path, "digits", budget=budget_for(1)) for _ in range(2))
    one.enter(expense(1))

    assert other.enter(expense(1, share=share(1))).epsilon == epsilon_of(1)


def test_a_delta_above_that_of_the_budget_is_declined(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "digits", budget=Budget(100, 1e-5))

    with pytest.raises(Declined, match=r"^privacy_delta = 1e-05, and the run's delta is 0.001") as no:
        ledger.enter(expense(1, delta=1e-3))
    assert no.value.rule == "privacy_delta"


def test_what_a_power_cut_has_left_of_an_entry_is_removed_and_no_other(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "digits")
    ledger.enter(expense(1))
    file = ledger_file(tmp_path, "digits")
    whole = file.read_bytes()
    ledger.enter(expense(2))
    added = file.read_bytes()[len(whole) :]

    for left in (added[:1], added[:-1], b"\0" * 300, added[:40] + b"\0" * (len(added) - 40)):
        file.write_bytes(whole + left)
        assert [entry.expense.round for entry in Ledger(tmp_path, "digits").entries()] == [1]
        assert Ledger(tmp_path, "digits").enter(expense(2)).epsilon == pytest.approx(epsilon_of(1, 2))
        assert file.read_bytes().startswith(whole)
        assert len(Ledger(tmp_path, "digits").entries()) == 2


def test_a_ledger_whose_first_line_was_torn_begins(tmp_path: Path) -> None:
    file = ledger_file(tmp_path, "digits")
    file.parent.mkdir(mode=0o700)
    file.touch(mode=0o600)
    file.write_bytes(b"0123")

    Ledger(tmp_path, "digits").enter(expense(1))

    assert len(Ledger(tmp_path, "digits").entries()) == 1


def refusal(ledger: Ledger) -> str:
    words = set()
    for ask in (ledger.require, ledger.enter, lambda _: ledger.entries()):
        with pytest.raises(LedgerUnusable) as refused:
            ask(expense(9))
        words.add(str(refused.value))
    (said,) = words
    assert "Nothing that was learned from digits leaves this client before that is mended" in said
    return said


def test_an_entry_that_was_changed_lets_nothing_out(tmp_path: Path) -> None:
    for number in (1, 2):
        Ledger(tmp_path, "digits").enter(expense(number))
    file = ledger_file(tmp_path, "digits")
    file.write_bytes(file.read_bytes().replace(b'"noise_multiplier":1.0', b'"noise_multiplier":9.0', 1))

    assert "is damaged: line 2 is not what was written there" in refusal(Ledger(tmp_path, "digits"))


def test_the_ledger_of_another_data_set_lets_nothing_out(tmp_path: Path) -> None:
    Ledger(tmp_path, "mnist").enter(expense(1))
    ledger_file(tmp_path, "mnist").rename(ledger_file(tmp_path, "digits"))

    assert "it is the ledger of 'mnist'" in refusal(Ledger(tmp_path, "digits"))


def test_an_entry_of_a_version_to_come_lets_nothing_out(tmp_path: Path) -> None:
    Ledger(tmp_path, "digits").enter(expense(1))
    journal = Journal(ledger_file(tmp_path, "digits"))
    with journal.held() as held:
        held.add(b'{"paid":"otherwise"}')

    assert "a version of FedLoom that this one does not understand" in refusal(Ledger(tmp_path, "digits"))


def test_a_ledger_that_is_taken_away_while_a_client_has_it_lets_nothing_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "digits")
    ledger.enter(expense(1))
    ledger_file(tmp_path, "digits").unlink()

    assert "cannot be opened (No such file or directory)" in refusal(ledger)


def test_a_ledger_that_is_cut_or_replaced_while_a_client_has_it_lets_nothing_out(tmp_path: Path) -> None:
    file = ledger_file(tmp_path, "digits")
    changes: list[Callable[[], None]] = [lambda: os.truncate(file, 100), lambda: replace(file)]
    for change in changes:
        file.unlink(missing_ok=True)
        ledger = Ledger(tmp_path, "digits")
        ledger.enter(expense(1))
        change()

        assert "it was replaced or cut while this process had it" in refusal(ledger)


def replace(file: Path) -> None:
    other = file.with_name("other")
    other.touch(mode=0o600)
    other.replace(file)


@pytest.mark.skipif(os.name != "posix", reason="needs file modes")
def test_only_its_user_may_read_it(tmp_path: Path) -> None:
    Ledger(tmp_path, "digits").enter(expense(1))
    file = ledger_file(tmp_path, "digits")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o666)
    assert "may be read or written by other users of this machine" in refusal(Ledger(tmp_path, "digits"))


def test_a_folder_in_its_place_lets_nothing_out(tmp_path: Path) -> None:
    ledger_file(tmp_path, "digits").mkdir(parents=True)

    with pytest.raises(LedgerUnusable, match=r"Is a directory|is no file"):
        Ledger(tmp_path, "digits").enter(expense(1))
