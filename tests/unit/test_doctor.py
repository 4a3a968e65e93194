"""What client.doctor finds, check by check, over real sockets and files."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from client.cli import INVITE_VARIABLE, build_parser
from client.doctor import site
from client.known_server import SERVERS, KnownServer
from client.ledger.ledger import Ledger, ledger_file
from client.membership import HERE, WayIn
from client.site.policy import Policy
from shared import packages
from shared.address import Address
from shared.doctor import installed, machine
from shared.finding import Finding, Level
from shared.flower_app import read_app
from shared.security.client_key import key_file
from shared.security.invitation import Invitation
from shared.security.keys import KeyPair
from shared.security.server_identity import ServerIdentity, local_invitation
from tests.support.apps import APPS
from tests.support.ledgers import expense

TOKEN = "t" * 32


def levels(found: list[Finding]) -> dict[str, str]:
    return {finding.check: str(finding.level) for finding in found}


class TestInstalled:
    def test_what_is_here_is_named_with_its_version(self) -> None:
        found = installed.of_any_client()

        assert found.level is Level.OK
        assert "grpcio " in found.words

    def test_what_cannot_be_imported_is_a_problem(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packages, "OF_CLIENTS", {"grpcio": "no_such_module", "torch": "json"})

        found = installed.of_any_client()

        assert found.is_problem
        assert (
            "grpcio cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in found.words
        )
        assert "requirements.txt" in found.todo


class TestHome:
    def test_one_that_is_not_there_is_made_at_the_first_start(self, tmp_path: Path) -> None:
        (found,) = machine.home(tmp_path / "new")

        assert found.level is Level.OK
        assert "is made at the first start" in found.words
        assert not (tmp_path / "new").exists()

    def test_one_that_is_a_file_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "home").touch()

        (found,) = machine.home(tmp_path / "home")

        assert found.is_problem
        assert "cannot be written" in found.words

    @pytest.mark.skipif(os.name != "posix", reason="needs file modes")
    def test_one_that_others_may_write_is_worth_a_word(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o777)

        (found,) = machine.home(tmp_path)

        assert found.level is Level.WARNING
        assert f"chmod go-w {tmp_path}" in found.todo

    def test_a_full_disk_is_worth_a_word(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        tmp_path.chmod(0o700)
        monkeypatch.setattr(machine, "LITTLE_ROOM", shutil.disk_usage(tmp_path).total + 1)

        assert levels(list(machine.home(tmp_path))) == {"home": "ok", "disk": "warning"}


class TestKey:
    def test_one_that_is_to_be_made_is_not_made_now(self, tmp_path: Path) -> None:
        found = machine.key(tmp_path, "client-1")

        assert (found.level, found.words) == (
            Level.OK,
            "client-1 has none yet: it is made at the first start",
        )
        assert list(tmp_path.iterdir()) == []

    def test_one_that_is_there_is_shown(self, tmp_path: Path) -> None:
        key = KeyPair.load_or_make(key_file(tmp_path, "client-1"))

        assert machine.key(tmp_path, "client-1").words == f"client-1 has the key {key.public.id}"

    @pytest.mark.skipif(os.name != "posix", reason="needs file modes")
    def test_one_that_others_may_read_is_a_problem(self, tmp_path: Path) -> None:
        KeyPair.load_or_make(key_file(tmp_path, "client-1"))
        key_file(tmp_path, "client-1").chmod(0o644)

        found = machine.key(tmp_path, "client-1")

        assert found.is_problem
        assert "may be read or written by other users" in found.words

    def test_a_name_that_no_server_would_take_is_a_problem(self, tmp_path: Path) -> None:
        found = machine.key(tmp_path, "../elsewhere")

        assert found.is_problem
        assert "Choose another --client-id" in found.words

    def test_without_a_name_there_is_none_to_look_at(self, tmp_path: Path) -> None:
        assert machine.key(tmp_path, None).level is Level.OK


def way_in(home: Path, *flags: str) -> tuple[Finding, WayIn | None]:
    """By what a client with these flags would join."""
    return site.way_in(build_parser(needs_id=False).parse_args(flags), home)


class TestInvitation:
    @pytest.fixture(autouse=True)
    def _without_any(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(INVITE_VARIABLE, raising=False)

    def test_one_that_was_given_is_read(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        given = Invitation(Address("fl.example", 5050), KeyPair.make().public.id, TOKEN)

        file = tmp_path / "invitation.txt"
        file.write_text(f"{given}\n")
        monkeypatch.setenv(INVITE_VARIABLE, str(given))

        for flags in (("--invite", str(given)), ("--invite-file", str(file)), ()):
            found, way = way_in(tmp_path, *flags)

            assert found.level is Level.OK
            assert "to the server at fl.example:5050" in found.words
            assert TOKEN not in str(found)
            assert way is not None
            assert (way.address, way.invitation()) == (given.address, given)

    def test_what_names_no_usable_proxy_is_a_problem(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("https_proxy", "socks5://site:secret@proxy.example:1080")
        monkeypatch.delenv("no_proxy", raising=False)

        found, way = way_in(tmp_path, "--server", "fl.example:5050")

        assert (found.check, found.level, way) == ("proxy", Level.PROBLEM, None)
        assert "https_proxy names a proxy by socks5://" in found.words
        assert "secret" not in str(found)

    @pytest.mark.parametrize("flag", ["--invite", "--invite-file"])
    def test_one_that_is_cut_short_is_a_problem(self, flag: str, tmp_path: Path) -> None:
        text = "fedloom://fl.example:5050?key="
        (tmp_path / "invitation.txt").write_text(text)
        what = text if flag == "--invite" else str(tmp_path / "invitation.txt")

        found, way = way_in(tmp_path, flag, what)

        assert (found.level, way) == (Level.PROBLEM, None)
        assert f"{flag}" in found.words
        assert "has no key" in found.words

    def test_that_of_a_server_on_this_machine_is_found(self, tmp_path: Path) -> None:
        identity = ServerIdentity.load_or_make(tmp_path)
        identity.invite(tmp_path, "127.0.0.1", 5050)

        found, way = way_in(tmp_path)

        assert found.level is Level.OK
        assert way is not None
        assert way.invitation() == local_invitation(tmp_path)

    def test_none_is_needed_for_a_server_that_the_client_has_joined(self, tmp_path: Path) -> None:
        old, new = (KeyPair.make().public.id for _ in range(2))
        memory = tmp_path / SERVERS / "client-1.json"
        KnownServer(Address("fl.example", 5050), old, following=new).save(memory)

        found, way = way_in(tmp_path, "--client-id", "client-1")

        assert found.level is Level.OK
        assert "it has joined the server at fl.example:5050 before" in found.words
        assert f"key {old.short}… or {new.short}…" in found.words
        assert way is not None
        assert way.address == Address("fl.example", 5050)

    def test_what_is_remembered_and_cannot_be_read_is_a_problem_also_beside_an_invitation(
        self, tmp_path: Path
    ) -> None:
        given = Invitation(Address("fl.example", 5050), KeyPair.make().public.id, TOKEN)
        (tmp_path / SERVERS).mkdir()
        (tmp_path / SERVERS / "client-1.json").write_text("{")

        found, way = way_in(tmp_path, "--client-id", "client-1", "--invite", str(given))

        assert (found.level, way) == (Level.PROBLEM, None)
        assert "Move it away" in found.words

    def test_without_any_it_says_where_one_comes_from(self, tmp_path: Path) -> None:
        found, way = way_in(tmp_path)

        assert found.is_problem
        assert way is not None
        assert way.address == HERE
        assert "python -m app.invite" in found.todo


class TestPolicy:
    def test_its_rules_are_shown(self, tmp_path: Path) -> None:
        (tmp_path / "client.toml").write_text("minimum_cohort = 5\nlabel_counts = false\n")
        (tmp_path / "client.toml").chmod(0o600)

        found, policy = site.policy(tmp_path, None)

        assert str(found) == "  ok       policy        minimum_cohort = 5, label_counts = false"
        assert policy == Policy(minimum_cohort=5, label_counts=False)

    def test_one_that_cannot_be_read_is_a_problem_with_its_line(self, tmp_path: Path) -> None:
        (tmp_path / "client.toml").write_text("epsilon = 3\n")

        found, policy = site.policy(tmp_path, None)

        assert (found.is_problem, policy) == (True, None)
        assert "client.toml, line 1: there is no 'epsilon'" in found.words

    def test_none_is_said_to_be_none(self, tmp_path: Path) -> None:
        assert "every run is accepted" in site.policy(tmp_path, None)[0].words


class TestPrivacy:
    def test_what_is_spent_and_left_is_told(self, tmp_path: Path) -> None:
        Ledger(tmp_path, "digits").enter(expense(1))

        found = site.privacy("digits", tmp_path, Policy(privacy_budget=9.0))

        assert found.level is Level.OK
        assert re.fullmatch(
            r"digits: epsilon \d\.\d\d of 9\.00 is spent at delta 1e-05, \d\.\d\d left", found.words
        )

    def test_nothing_may_be_spent_or_limited(self, tmp_path: Path) -> None:
        words = site.privacy("digits", tmp_path, Policy()).words

        assert words == "digits: nothing is spent, and there is no budget"

    def test_a_budget_that_is_spent_is_a_warning(self, tmp_path: Path) -> None:
        Ledger(tmp_path, "digits").enter(expense(1))

        found = site.privacy("digits", tmp_path, Policy(privacy_budget=0.5))

        assert found.level is Level.WARNING
        assert found.todo == "Private rounds are declined."

    def test_a_ledger_that_cannot_be_read_is_a_problem(self, tmp_path: Path) -> None:
        Ledger(tmp_path, "digits").enter(expense(1))
        ledger_file(tmp_path, "digits").write_text("1\n")

        found = site.privacy("digits", tmp_path, Policy())

        assert found.is_problem
        assert "is damaged: line 1" in found.words


class TestApp:
    def test_its_digest_is_shown_to_be_put_into_a_policy(self) -> None:
        folder = APPS / "quickstart-numpy"

        found = site.app(folder, Policy())

        assert found.level is Level.OK
        assert read_app(folder).digest in found.words

    def test_one_that_the_policy_does_not_name_is_a_problem(self) -> None:
        found = site.app(APPS / "quickstart-numpy", Policy(apps=("built-in",)))

        assert found.is_problem
        assert "add '" in found.todo

    def test_a_folder_without_an_app_is_a_problem(self, tmp_path: Path) -> None:
        assert site.app(tmp_path, Policy()).is_problem


class TestData:
    @pytest.mark.parametrize("dataset", ["digits", "synthetic"])
    def test_what_needs_no_file_is_there(self, dataset: str, tmp_path: Path) -> None:
        assert [found.words for found in site.data(dataset, tmp_path)] == [f"{dataset} needs no file"]

    @pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist", "cifar10"])
    def test_what_can_be_downloaded_is_worth_a_word_and_not_downloaded(
        self, dataset: str, tmp_path: Path
    ) -> None:
        (found,) = site.data(dataset, tmp_path / "data")

        assert found.level is Level.WARNING
        assert "MB are downloaded at the first start" in found.words
        assert list(tmp_path.iterdir()) == []

    def test_what_does_not_fit_on_the_disk_is_a_problem(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(site, "DOWNLOADED_MB", {"mnist": 10**9})

        (found,) = site.data("mnist", tmp_path)

        assert found.is_problem
        assert "are free there" in found.words

    def test_where_nothing_can_be_written_is_a_problem(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()

        (found,) = site.data("mnist", tmp_path / "data")

        assert found.is_problem

    def test_files_that_are_damaged_are_a_problem(self, tmp_path: Path) -> None:
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte").write_bytes(b"not pictures")

        (found,) = site.data("mnist", tmp_path)

        assert found.is_problem
        assert "train-images-idx3-ubyte" in found.words
