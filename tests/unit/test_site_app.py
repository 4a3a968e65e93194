"""An app behind a site's policy: it sees only what the policy lets pass, whatever the app is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pytest
from flwr.app import Message, RecordDict

from client.runtime import Place
from client.site.confirmations import Confirmations
from client.site.policy import Policy
from client.site.round_count import RoundCount
from client.site.rules import Declined, RunFacts
from client.site.site_app import SiteApp
from client.site.terminal import Terminal
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.dp_spec import DpSpec
from shared.errors import Cancelled, WireError
from shared.flower import identify_server_task, node_id_of, set_message_id
from shared.flower_app import FlowerApp, read_app
from shared.run_spec import RunSpec
from tests.support.apps import APPS
from tests.support.payloads import payload_of
from tests.support.waiting import wait_until

RUN_ID = 0x2A
PLACE = Place(
    run_id=RUN_ID,
    node_config={},
    run_config={"strategy": "fedavg", "model": "cnn"},
    threads=1,
    clients=4,
)
PRIVATE = replace(PLACE, run_config=RunSpec(dp=DpSpec(noise_multiplier=1.0)).to_run_config())
ANSWER = Serialised(b"answer", ())


class App:
    """Says what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.spent = False
        """Whether it has no privacy left to spend, and so does not train."""

    def begin(self, place: Place) -> None:
        self.told.append(f"begin {place.run_id}")

    def answer(self, work: Work) -> Serialised:
        if self.spent:
            raise Declined("privacy_budget", "privacy_budget = 3, of which 2.9 is spent")
        self.told.append(f"answer {work.message_id}")
        return ANSWER

    def end_run(self) -> None:
        self.told.append("end_run")

    def make_ready(self) -> None:
        self.told.append("make_ready")

    def cancel(self, work: Work) -> None:
        self.told.append("cancel")

    def abandon(self) -> None:
        self.told.append("abandon")

    def pause(self, paused: bool) -> None:
        self.told.append(f"pause {paused}")

    def close(self) -> None:
        self.told.append("close")


class Person(Terminal):
    """Sits at the terminal, and answers once they want to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.say: Callable[[bool], None] = lambda yes: None

    @property
    def is_there(self) -> bool:
        return True

    def ask(self, question: str, answered: Callable[[bool], None]) -> None:
        self.asked.append(question)
        self.say = answered


@dataclass
class Site:
    """A client of a site with a policy."""

    home: Path
    policy: Policy
    flower_app: FlowerApp | None = None
    app: App = field(default_factory=App)
    person: Person = field(default_factory=Person)
    held: list[str] = field(default_factory=list)
    server: str = "KEY"
    now: float = 0.0

    def __post_init__(self) -> None:
        identify_server_task(RUN_ID)
        self.confirmations = Confirmations(self.home)
        self.site_app = SiteApp(
            self.app,
            self.policy,
            self.flower_app,
            RoundCount(self.home / "rounds.json", lambda: date(2026, 11, 26)),
            self.confirmations,
            lambda: self.server,
            self.person,
            clock=lambda: self.now,
        )
        self.site_app.begin(PLACE)
        self.app.told.clear()

    def work(self, kind: str = "train", cohort: int = 4) -> Work:
        message = Message(RecordDict(), node_id_of("a"), kind)
        set_message_id(message, "m")
        return Work(
            "m",
            payload_of(message),
            reply=lambda *_: None,
            fail=lambda *_: None,
            progress=lambda _: None,
            released=lambda _: None,
            labels=lambda _: None,
            decline=lambda *_: None,
            held=lambda _, reason: self.held.append(reason),
            cohort=cohort,
        )

    def ask(self, kind: str = "train", cohort: int = 4) -> str | None:
        """Give it a message; the words with which it is declined, or None."""
        before = list(self.app.told)
        try:
            assert self.site_app.answer(self.work(kind, cohort)) is ANSWER
        except Declined as declined:
            assert self.app.told == before, "the app has seen it"
            return str(declined)
        return None

    def ask_in_thread(self, work: Work | None = None) -> tuple[threading.Thread, list[str | None]]:
        """The same for a message that may wait."""
        said: list[str | None] = []

        def ask() -> None:
            try:
                self.site_app.answer(work or self.work())
                said.append(None)
            except (Declined, Cancelled) as error:
                said.append(str(error))

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        wait_until(lambda: self.held, "the message is held")
        return thread, said


def test_what_the_policy_lets_pass_is_answered(tmp_path: Path) -> None:
    site = Site(tmp_path, Policy(minimum_cohort=4))

    assert site.ask() is None
    assert site.app.told == ["answer m"]


@pytest.mark.parametrize("kind", ["train", "train.setup", "evaluate", "query"])
@pytest.mark.parametrize("name", [None, "quickstart-numpy"])
def test_what_it_does_not_the_app_never_sees(kind: str, name: str | None, tmp_path: Path) -> None:
    app = None if name is None else read_app(APPS / name)
    site = Site(tmp_path, Policy(minimum_cohort=5), app)

    assert site.ask(kind) == "minimum_cohort = 5, and the run has 4"
    assert site.app.told == []


def test_an_app_is_known_by_its_own_files_and_not_by_the_servers_word(tmp_path: Path) -> None:
    app = read_app(APPS / "quickstart-numpy")

    assert Site(tmp_path, Policy(apps=(app.digest,)), app).ask() is None
    assert (Site(tmp_path, Policy(apps=("built-in",)), app).ask() or "").startswith("apps names those")


def test_everything_else_reaches_the_app(tmp_path: Path) -> None:
    site = Site(tmp_path, Policy(minimum_cohort=5))

    site.site_app.pause(True)
    site.site_app.cancel(site.work())
    site.site_app.abandon()
    site.site_app.make_ready()
    site.site_app.end_run()
    site.site_app.close()

    assert site.app.told == ["pause True", "cancel", "abandon", "make_ready", "end_run", "close"]


def test_a_message_of_a_run_without_a_place_is_refused_and_not_passed_on(tmp_path: Path) -> None:
    site = Site(tmp_path, Policy(minimum_cohort=1))
    site.site_app.end_run()
    site.app.told.clear()

    with pytest.raises(WireError, match="gave this client no place"):
        site.site_app.answer(site.work())

    assert site.app.told == []


@pytest.mark.parametrize(
    ("policy", "file"),
    [(Policy(rounds_a_day=5), "rounds.json"), (Policy(confirm=True), "confirmations/{digest}.json")],
)
def test_what_is_kept_for_a_rule_and_cannot_be_read_declines(
    policy: Policy, file: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(tmp_path, policy)
    run = RunFacts(server="KEY", run="0000002a", clients=4, config=(("model", "cnn"), ("strategy", "fedavg")))
    path = tmp_path / file.format(digest=run.digest)
    path.parent.mkdir(exist_ok=True)
    path.write_text("nonsense")

    (rule,) = policy.rules
    assert site.ask() == f"{rule} is given, and what is kept for it there cannot be used"
    assert str(path) in caplog.text


def test_a_client_that_does_not_train_for_its_budget_evaluates_nothing_either(tmp_path: Path) -> None:
    site = Site(tmp_path, Policy(privacy_budget=3.0))
    site.site_app.begin(PRIVATE)
    site.app.told.clear()
    site.app.spent = True
    declined = "privacy_budget = 3, of which 2.9 is spent"
    assert site.ask("train") == declined
    site.app.spent = False

    assert site.ask("evaluate") == declined
    assert site.ask("train") is None
    assert site.ask("evaluate") is None


def test_what_was_declined_in_one_run_is_not_in_the_next(tmp_path: Path) -> None:
    site = Site(tmp_path, Policy(privacy_budget=3.0))
    site.site_app.begin(PRIVATE)
    site.app.told.clear()
    site.app.spent = True
    site.ask("train")
    site.app.spent = False

    site.site_app.begin(PRIVATE)

    assert site.ask("evaluate") is None


class TestRoundsADay:
    def test_the_last_one_is_finished_and_no_other_begun(self, tmp_path: Path) -> None:
        site = Site(tmp_path, Policy(rounds_a_day=2))

        asked = [site.ask(kind) for kind in ("train", "evaluate") * 2]
        assert asked == [None] * 4
        assert site.ask("train") == "rounds_a_day = 2, and today there were so many"
        assert site.ask("evaluate") == "rounds_a_day = 2, and today there were so many"

    def test_a_client_that_starts_again_goes_on_counting(self, tmp_path: Path) -> None:
        Site(tmp_path, Policy(rounds_a_day=1)).ask()

        assert Site(tmp_path, Policy(rounds_a_day=1)).ask() is not None

    def test_what_is_declined_is_not_counted(self, tmp_path: Path) -> None:
        site = Site(tmp_path, Policy(rounds_a_day=1, minimum_cohort=3))

        assert site.ask(cohort=2) is not None
        assert site.ask(cohort=3) is None


class TestConfirm:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Site:
        return Site(tmp_path, Policy(confirm=True))

    def test_a_run_waits_for_a_word_at_the_terminal(self, site: Site) -> None:
        thread, said = site.ask_in_thread()
        wait_until(lambda: site.person.asked, "somebody is asked")
        assert "run 0000002a at the server KEY…: cnn on ? by fedavg" in site.person.asked[0]

        site.person.say(True)

        thread.join(10)
        assert said == [None]
        assert site.held == ["run 0000002a waits to be confirmed by hand at this site", ""]
        assert site.ask("evaluate") is None
        assert len(site.person.asked) == 1

    def test_or_for_the_command(self, site: Site) -> None:
        thread, said = site.ask_in_thread()

        Confirmations(site.home).answer("0000002a", yes=True)

        thread.join(10)
        assert said == [None]

    def test_a_no_holds_for_the_whole_run(self, site: Site) -> None:
        thread, said = site.ask_in_thread()
        wait_until(lambda: site.person.asked, "somebody is asked")

        site.person.say(False)

        thread.join(10)
        assert said == ["confirm = true, and run 0000002a was declined there by hand"]
        assert site.ask() == said[0]
        assert len(site.person.asked) == 1

    def test_nobody_is_waited_for_longer_than_the_policy_says_and_a_later_word_counts(
        self, site: Site
    ) -> None:
        thread, said = site.ask_in_thread()

        site.now = 10 * 60.0

        thread.join(10)
        assert said == ["confirm = true, and nobody has confirmed run 0000002a there so far"]
        assert site.ask() == said[0], "and the next message does not wait again"
        site.confirmations.answer("0000002a", yes=True)
        assert site.ask() is None

    def test_a_message_that_nobody_waits_for_any_more_waits_no_longer(self, site: Site) -> None:
        work = site.work()
        thread, said = site.ask_in_thread(work)

        work.cancelled.set()
        site.site_app.cancel(work)

        thread.join(10)
        assert said == ["it is no longer wanted"]

    def test_nor_does_a_client_that_ends(self, site: Site) -> None:
        thread, said = site.ask_in_thread()

        site.site_app.close()

        thread.join(10)
        assert said == ["it is no longer wanted"]

    def test_a_run_that_was_changed_after_it_was_confirmed_is_another(self, site: Site) -> None:
        thread, _ = site.ask_in_thread()
        site.confirmations.answer("0000002a", yes=True)
        thread.join(10)
        site.held.clear()

        site.site_app.begin(replace(PLACE, run_config={"strategy": "fedavg", "model": "linear"}))

        thread, said = site.ask_in_thread()
        site.site_app.close()
        thread.join(10)
        assert said == ["it is no longer wanted"]

    def test_what_the_other_rules_decline_nobody_is_asked_about(self, tmp_path: Path) -> None:
        site = Site(tmp_path, Policy(confirm=True, minimum_cohort=5))

        assert site.ask() == "minimum_cohort = 5, and the run has 4"
        assert site.person.asked == []
        assert site.confirmations.unanswered() == []
