"""The commands of `python -m mesh`: whom a name means, what the flags are, and what the doctor finds."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from mesh.__main__ import build_parser, main
from mesh.commands.command import NotKnown, key_named, node_folder
from mesh.commands.messages import SHOWN_BYTES, SPELL_S, Log, show
from mesh.commands.node import settings_from
from mesh.commands.table import COMMANDS
from mesh.members import Member
from mesh.node import Received
from mesh.trust.folder import folder_of, taken
from mesh.trust.invitation import MeshInvitation
from shared.address import Address
from shared.errors import SettingsInvalid
from shared.security.key_id import KeyId
from tests.support.mesh import KnownMembers, a_key

ANA, BEN, CAT = map(a_key, range(1, 4))
INVITATION = MeshInvitation((Address("10.0.0.5", 5060),), ANA, "t" * 22)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))
    return tmp_path


def members(**named: KeyId) -> dict[KeyId, Member]:
    known = KnownMembers()
    for name, key in named.items():
        known.add(key)
        known.members[key] = Member(known.members[key].key, name, known.members[key].origin)
    return known.members


class TestNames:
    def test_a_node_is_meant_by_its_name_its_letters_or_its_id(self) -> None:
        known = members(ana=ANA, ben=BEN)

        assert key_named("ana", known, {}) == ANA
        assert key_named(BEN.short, known, {}) == BEN
        assert key_named(str(CAT), known, {}) == CAT, "also a stranger"

    def test_a_name_that_two_have_means_neither(self) -> None:
        known = {**members(ana=ANA), **members(ana=BEN)}

        with pytest.raises(NotKnown, match=f"{ANA.short}, {BEN.short}|{BEN.short}, {ANA.short}"):
            key_named("ana", known, {})

    def test_who_is_not_known_is_said_with_those_who_are(self) -> None:
        with pytest.raises(NotKnown, match=r"Nobody is known here as 'eve'\. Known: ana, ben\."):
            key_named("eve", members(ana=ANA), {BEN: "ben", CAT: ""})

    def test_who_is_blocked_without_a_name_is_not_meant_by_none(self) -> None:
        with pytest.raises(NotKnown):
            key_named("", {}, {CAT: ""})


class TestWhichNode:
    def named(self, name: str | None) -> Path:
        return node_folder(argparse.Namespace(name=name))

    def test_the_only_one_needs_no_name(self, home: Path) -> None:
        with taken(folder_of(home, "ana")):
            assert self.named(None) == folder_of(home, "ana")

    def test_of_several_one_is_to_be_named(self, home: Path) -> None:
        for name in ("ana", "ben"):
            with taken(folder_of(home, name)):
                pass
        with pytest.raises(SettingsInvalid, match="several nodes here: ana, ben"):
            self.named(None)
        assert self.named("ben").name == "ben"

    def test_without_any_it_is_said_how_one_is_made(self) -> None:
        with pytest.raises(SettingsInvalid, match="python -m mesh node --name NAME"):
            self.named(None)


class TestFlags:
    def test_a_node_listens_everywhere_unless_told_otherwise(self, home: Path) -> None:
        settings = settings_from(build_parser().parse_args(["node", "--name", "ana"]))

        assert (settings.host, settings.port, settings.join) == ("0.0.0.0", 5060, ())
        assert settings.home == home

    def test_it_is_told_where_members_are_and_whose_invitation_to_take(self) -> None:
        flags = ["--mesh-join", "10.0.0.7:5060", "--mesh-join", str(INVITATION), "--mesh-interface", "lo"]
        settings = settings_from(build_parser().parse_args(["node", "--name", "ana", *flags]))

        assert settings.join == (Address("10.0.0.7", 5060), INVITATION)
        assert settings.interfaces == ("lo",)

    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            (["--mesh-join", "nowhere"], "is not HOST:PORT"),
            (["--mesh-join", "fedmesh://x"], "address in the invitation"),
            (["--mesh-join", "fedloom://x"], "to a server"),
            (["--mesh-port", "65536"], "no port from 0 to 65535"),
            (["--mesh-port", "-1"], "no port"),
        ],
    )
    def test_what_cannot_be_is_said(
        self, flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            build_parser().parse_args(["node", "--name", "ana", *flags])
        assert words in " ".join(capsys.readouterr().err.split())

    def test_every_command_has_help_and_a_name_of_its_own(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert len({command.name for command in COMMANDS}) == len(COMMANDS)
        for command in COMMANDS:
            with pytest.raises(SystemExit) as ended:
                build_parser().parse_args([command.name, "--help"])
            assert ended.value.code == 0
            assert "--name" in capsys.readouterr().out

    @pytest.mark.parametrize("text", ["", "x" * 2_001])
    def test_a_message_has_a_length(self, text: str) -> None:
        with pytest.raises(SystemExit):
            build_parser().parse_args(["send", "ana", text])


class TestWithoutANode:
    @pytest.mark.parametrize(
        "command", [["status"], ["peers"], ["invite"], ["send", "a", "x"], ["unpair", "a"], ["block", "a"]]
    )
    def test_a_command_says_so(self, command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main([*command, "--name", "ana"]) == 1
        assert "The node ana does not run" in capsys.readouterr().err

    def test_what_is_no_invitation_is_said_before_anybody_is_asked(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["join", "fedmesh://x", "--name", "ana"]) == 1
        assert "address in the invitation" in capsys.readouterr().err
        assert main(["join", str(home / "x.png"), "--name", "ana"]) == 1
        assert "x.png cannot be read" in capsys.readouterr().err

    def test_the_doctor_makes_no_key(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["doctor", "--name", "ana"]) == 1
        told = capsys.readouterr().out
        assert "ana has none yet" in told
        assert "1 problem" in told
        assert list(home.iterdir()) == []


def test_a_message_of_who_is_a_member_no_more_is_shown_with_the_letters_of_the_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    show(Received(ANA, "text", b"hello \xff\x1b[31m"), {})

    assert caplog.messages == [f"message from {ANA.short}: hello \ufffd\ufffd[31m"]


def test_a_member_that_sends_without_end_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    shown, known = Log(lambda: now), members(ana=ANA, ben=BEN)
    with caplog.at_level("INFO"):
        for _ in range(1_000):
            shown.take(Received(ANA, "text", b"a" * 2_000), known)
        shown.take(Received(BEN, "text", b"is heard"), known)
        assert len(caplog.text) < 2 * SHOWN_BYTES
        assert "message from ben: is heard" in caplog.text
        assert caplog.text.count("ana sends too much") == 1
        now = SPELL_S
        shown.take(Received(ANA, "text", b"is heard again"), known)
        assert "message from ana: is heard again" in caplog.text
