"""The client's flags become settings; what does not go together is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.cli import parse
from client.settings import ClientSettings
from client.site.policy import UsageRule
from shared import qr
from shared.address import Address
from shared.flower_app import read_app
from shared.names import DatasetName
from shared.security.invitation import Invitation
from shared.security.key_id import KeyId
from tests.support.apps import APPS

ME = ["--client-id", "client-1"]
APP = ["--app", str(APPS / "old-style")]


def test_without_more_flags_a_client_trains_on_the_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FEDLOOM_HOME", "FEDLOOM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)

    assert parse(ME) == ClientSettings(
        client_id="client-1",
        dataset=DatasetName.DIGITS,
        server=None,
        data_dir=Path(".fedloom/data"),
        max_samples=0,
        device="auto",
        threads=None,
        private_labels=False,
        app=None,
        node_config={},
    )


def test_every_flag_reaches_its_setting(tmp_path: Path) -> None:
    flags = ["--dataset", "mnist", "--server", "h:1", "--data-dir", str(tmp_path), "--max-samples", "7"]

    assert parse([*ME, *flags, "--device", "cpu", "--threads", "3", "--private-labels"]) == ClientSettings(
        client_id="client-1",
        dataset=DatasetName.MNIST,
        server="h:1",
        data_dir=tmp_path,
        max_samples=7,
        device="cpu",
        threads=3,
        private_labels=True,
    )


def test_an_app_gets_the_node_config_that_was_given() -> None:
    flags = ["--node-config", "partition-id=0 num-partitions=2", "--node-config", 'name="x y"']

    settings = parse([*ME, *APP, *flags])

    assert settings.app == read_app(APPS / "old-style")
    assert settings.node_config == {"partition-id": 0, "num-partitions": 2, "name": "x y"}


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ([*APP, "--dataset", "digits"], "--dataset is for the built-in app"),
        ([*APP, "--max-samples", "3"], "--max-samples is for the built-in app"),
        ([*APP, "--data-dir", "x"], "--data-dir is for the built-in app"),
        ([*APP, "--device", "cpu"], "--device is for the built-in app"),
        ([*APP, "--private-labels"], "--private-labels is for the built-in app"),
        ([*APP, "--node-config", "nonsense"], "--node-config: 'nonsense' is not key=value"),
        (["--node-config", "partition-id=0"], "--node-config is for an app given by --app"),
        (["--app", "nowhere"], "--app nowhere: There is no folder"),
        (["--app", str(APPS)], "is no Flower app"),
    ],
)
def test_flags_that_do_not_go_together_are_named(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse([*ME, *flags])

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_folder_with_a_percent_sign_does_not_break_the_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEDLOOM_DATA_DIR", "/data/100%s")

    with pytest.raises(SystemExit):
        parse(["--help"])

    assert "/data/100%s" in capsys.readouterr().out.replace("\n", "").replace(" ", "")


@pytest.mark.parametrize(
    ("given", "taken"),
    [("[::1]:5050", "[::1]:5050"), ("127.0.0.1:1", "127.0.0.1:1"), ("fl.example:05050", "fl.example:5050")],
)
def test_an_address_is_taken_as_people_write_it(given: str, taken: str) -> None:
    assert parse([*ME, "--server", given]).server == taken


@pytest.mark.parametrize("text", ["::1:5050", "[fl.example]:5050", "5050", "h:0", "h:70000", "http://h:1"])
def test_what_is_no_address_is_refused_with_an_example(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([*ME, "--server", text])

    assert "for example 127.0.0.1:5050" in capsys.readouterr().err


TEXT = str(Invitation(Address("hospital.example.org", 5050), KeyId(bytes(32)), "t" * 32))


def test_an_invitation_comes_by_flag_file_picture_or_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mail.txt").write_text(f"\n  <{TEXT[:40]}\n{TEXT[40:]}>\n")
    qr.save_png(TEXT, tmp_path / "mail.png")
    flags = (
        ["--invite", TEXT],
        ["--invite-file", str(tmp_path / "mail.txt")],
        ["--invite-qr", str(tmp_path / "mail.png")],
    )

    assert parse(ME).invite is None
    assert {parse([*ME, *each]).invite for each in flags} == {Invitation.parse(TEXT)}
    monkeypatch.setenv("FEDLOOM_INVITE", TEXT)
    assert parse(ME).invite == Invitation.parse(TEXT)


def test_a_flag_goes_before_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDLOOM_INVITE", "something else")

    assert parse([*ME, "--invite", TEXT]).invite == Invitation.parse(TEXT)


def refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of flags that cannot be used, as one line."""
    with pytest.raises(SystemExit):
        parse([*ME, *flags])
    return " ".join(capsys.readouterr().err.split())


def test_two_ways_at_once_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "not allowed with argument" in refused(["--invite", TEXT, "--invite-file", "x"], capsys)
    assert "not allowed with argument" in refused(["--invite-qr", "x", "--invite-file", "x"], capsys)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "The file cannot be read: No such file"),
        (b"", "The file is empty"),
        (b"dear colleague", "An invitation begins with fedloom://"),
        (b"\xff\xfe\x00", "holds something else than an invitation"),
        (b"x" * 100_000, "characters is none"),
    ],
)
def test_a_file_that_holds_no_invitation_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "mail.txt"
    if content is not None:
        path.write_bytes(content)

    said = refused(["--invite-file", str(path)], capsys)

    assert "--invite-file" in said
    assert complaint in said


def test_a_picture_that_holds_no_invitation_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qr.save_png("https://example.org", tmp_path / "other.png")

    assert "An invitation begins with fedloom://" in refused(
        ["--invite-qr", str(tmp_path / "other.png")], capsys
    )
    assert "cannot be read: No such file" in refused(["--invite-qr", str(tmp_path / "x.png")], capsys)


@pytest.mark.parametrize(("flags", "port"), [([], None), (["--page"], 0), (["--page", "5001"], 5001)])
def test_a_client_in_the_mesh_may_serve_a_page_of_its_own(flags: list[str], port: int | None) -> None:
    mesh = parse(["--client-id", "a", "--enable-mesh", *flags]).mesh

    assert mesh is not None
    assert mesh.page == port


def test_and_no_other_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--page needs --enable-mesh" in refused(["--page"], capsys)
    assert "not a port" in refused(["--enable-mesh", "--page", "0"], capsys)


@pytest.mark.parametrize(
    ("policy", "flags", "usage"),
    [
        ("", [], UsageRule.ON),
        ("", ["--send-usage", "off"], UsageRule.OFF),
        ('usage = "off"', ["--send-usage", "on"], UsageRule.OFF),
        ('usage = "on"', ["--send-usage", "off"], UsageRule.OFF),
    ],
)
def test_of_flag_and_policy_the_less_is_told_of_the_machine(
    tmp_path: Path, policy: str, flags: list[str], usage: UsageRule
) -> None:
    file = tmp_path / "client.toml"
    file.write_text(policy, encoding="utf-8")

    assert parse([*ME, "--policy", str(file), *flags]).policy.usage is usage


def test_a_client_may_need_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEDLOOM_INVITE", "of a server that is none of this client's")

    settings = parse([*ME, "--mesh-only", "--mesh-port", "7001", "--mesh-clipping-radius", "0.5"])

    assert settings.mesh is not None
    assert settings.mesh.only
    assert settings.mesh.port == 7001
    assert settings.policy.mesh_clipping_radius == 0.5


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (["--server", "h:1"], "--server is about a server"),
        (["--invite", "x"], "--invite is about a server"),
        (["--private-labels"], "--private-labels is about a server"),
        (["--mesh-after", "3"], "--mesh-after is about a server"),
        (["--mesh-dir", "d"], "--mesh-dir is about a server"),
        (APP, "--mesh-only is for the built-in app"),
        (["--mesh-clipping-radius", "0"], "not a number above 0, up to 10"),
        (["--mesh-clipping-radius", "nan"], "not a number above 0, up to 10"),
    ],
)
def test_what_is_about_a_server_is_refused_where_there_is_none(
    flags: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complaint in refused(["--mesh-only", *flags], capsys)


def test_of_two_clipping_radii_the_smaller_counts(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text("mesh_clipping_radius = 0.3", encoding="utf-8")
    for given, radius in (("0.1", 0.1), ("0.5", 0.3)):
        flags = ["--policy", str(policy), "--mesh-only", "--mesh-clipping-radius", given]
        assert parse([*ME, *flags]).policy.mesh_clipping_radius == radius


def test_the_folder_of_models_needs_the_mesh_and_is_absolute(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--mesh-dir needs --enable-mesh" in refused(["--mesh-dir", "d"], capsys)
    mesh = parse([*ME, "--enable-mesh", "--mesh-dir", "d"]).mesh
    assert mesh is not None
    assert mesh.folder == Path.cwd() / "d"
