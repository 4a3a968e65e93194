"""What people at a site are asked, and what they answer, goes through files of their own user's."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from client.confirm import main
from client.site import confirmations as module
from client.site.confirmations import FOLDER, Confirmations, ConfirmationUnusable
from client.site.rules import RunFacts

RUN = RunFacts(server="KEY", run="0000002a", clients=3, config=(("model", "cnn"),))
OTHER = replace(RUN, run="0000002b")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
    return tmp_path


def test_a_question_waits_until_it_is_answered(home: Path) -> None:
    asked = Confirmations(home)
    assert asked.answer_to(RUN) is None
    asked.ask(RUN)
    assert asked.answer_to(RUN) is None

    Confirmations(home).answer(RUN.run, yes=True)

    assert asked.answer_to(RUN) is True
    assert asked.answer_to(OTHER) is None


def test_asking_again_keeps_the_answer(home: Path) -> None:
    asked = Confirmations(home)
    asked.ask(RUN)
    asked.answer(RUN.run, yes=False)

    asked.ask(RUN)

    assert asked.answer_to(RUN) is False


def test_the_same_run_with_other_settings_is_not_confirmed(home: Path) -> None:
    """A server could have a harmless run confirmed and then change it."""
    asked = Confirmations(home)
    asked.ask(RUN)
    asked.answer(RUN.run, yes=True)

    assert asked.answer_to(replace(RUN, config=(("model", "linear"),))) is None
    assert asked.answer_to(replace(RUN, server="ANOTHER")) is None


def test_what_was_asked_long_ago_is_forgotten(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Confirmations(home)
    asked.ask(RUN)
    asked.answer(RUN.run, yes=True)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + module.KEPT_S + 1)

    asked.ask(OTHER)

    assert asked.answer_to(RUN) is None


def test_a_server_with_many_questions_fills_no_disk(home: Path) -> None:
    asked = Confirmations(home)
    asked.ask(RUN)
    asked.answer(RUN.run, yes=True)

    for number in range(module.MAX_UNANSWERED + 20):
        asked.ask(replace(OTHER, run=f"{number:08x}"))

    assert len(asked.unanswered()) == module.MAX_UNANSWERED
    assert asked.answer_to(RUN) is True


def test_a_file_that_cannot_be_read_confirms_nothing(home: Path) -> None:
    asked = Confirmations(home)
    asked.ask(RUN)
    for path in (home / FOLDER).iterdir():
        path.write_text('{"run": "0000002a", "words": "", "asked_at": 1.0, "yes": "perhaps"}')

    with pytest.raises(ConfirmationUnusable, match="Delete it to be asked again"):
        asked.answer_to(RUN)


def test_only_their_user_can_read_or_write_the_files(home: Path) -> None:
    Confirmations(home).ask(RUN)

    assert [path.stat().st_mode & 0o077 for path in (home / FOLDER).iterdir()] == [0]


class TestTheCommand:
    def test_it_lists_what_waits(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main([]) == 0
        assert capsys.readouterr().out == f"Nothing waits to be confirmed in {home}.\n"
        Confirmations(home).ask(RUN)

        assert main([]) == 0

        assert capsys.readouterr().out == f"{RUN}\n"

    @pytest.mark.parametrize(("flags", "yes"), [([], True), (["--decline"], False)])
    def test_it_answers(
        self, flags: list[str], yes: bool, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Confirmations(home).ask(RUN)

        assert main([RUN.run, *flags]) == 0

        assert capsys.readouterr().out == f"{'Confirmed' if yes else 'Declined'}: {RUN}\n"
        assert Confirmations(home).answer_to(RUN) is yes
        assert Confirmations(home).unanswered() == []

    def test_a_run_that_nobody_was_asked_for_is_an_error(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        Confirmations(home).ask(RUN)

        assert main(["../0000002a"]) == 1

        assert "was asked to take part in a run '../0000002a'" in capsys.readouterr().err
