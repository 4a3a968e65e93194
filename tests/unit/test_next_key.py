"""A server's next key: announced by the present one, and in its place after a start."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.next_key import main
from shared.proto.link_pb2 import NextKey
from shared.security.keys import BadSignature, KeyPair, KeyUnusable
from shared.security.next_key import announce, verify_next_key
from shared.security.server_identity import (
    SWITCH,
    ServerIdentity,
    make_next_key,
    next_key,
    switch_at_next_start,
)


@pytest.fixture(scope="module")
def present() -> KeyPair:
    return KeyPair.make()


@pytest.fixture(scope="module")
def following() -> KeyPair:
    return KeyPair.make()


def test_a_notice_names_the_next_key(present: KeyPair, following: KeyPair) -> None:
    notice = announce(present, following.public)

    assert verify_next_key(notice, present.public) == following.public.id


def test_only_the_present_key_can_announce_one(present: KeyPair, following: KeyPair) -> None:
    with pytest.raises(BadSignature):
        verify_next_key(announce(following, following.public), present.public)


def test_a_notice_for_one_key_is_none_for_another(present: KeyPair, following: KeyPair) -> None:
    notice = announce(present, following.public)
    notice.public_key = present.public.der

    with pytest.raises(BadSignature):
        verify_next_key(notice, present.public)


@given(key=st.binary(max_size=400), signature=st.binary(max_size=300))
def test_whatever_comes_as_a_notice_is_refused(present: KeyPair, key: bytes, signature: bytes) -> None:
    with pytest.raises((BadSignature, KeyUnusable)):
        verify_next_key(NextKey(public_key=key, signature=signature), present.public)


def test_the_next_key_takes_its_place_at_the_start_that_was_told_to(tmp_path: Path) -> None:
    first = ServerIdentity.load_or_make(tmp_path)
    made = make_next_key(tmp_path)

    assert ServerIdentity.load_or_make(tmp_path).key.public == first.key.public, "not before"
    assert make_next_key(tmp_path).public == made.public, "it is made once"
    switch_at_next_start(tmp_path)
    second = ServerIdentity.load_or_make(tmp_path)

    assert second.key.public == made.public
    assert second.certificate != first.certificate
    assert second.token != first.token
    assert next_key(tmp_path) is None
    assert ServerIdentity.load_or_make(tmp_path).key.public == made.public, "and it stays"


def test_a_switch_that_was_cut_is_finished(tmp_path: Path) -> None:
    ServerIdentity.load_or_make(tmp_path)
    made = make_next_key(tmp_path)
    switch_at_next_start(tmp_path)
    keys = tmp_path / "keys"
    (keys / "server.next.pem").replace(keys / "server.pem")  # and then the power went

    assert ServerIdentity.load_or_make(tmp_path).key.public == made.public
    assert sorted(path.name for path in keys.glob("server*")) == ["server.crt", "server.pem"]
    assert not (keys / SWITCH).exists()


def test_the_command_says_what_to_do_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FEDLOOM_HOME", str(tmp_path))

    assert main([]) == 1
    assert "No server has been started in" in capsys.readouterr().err
    ServerIdentity.load_or_make(tmp_path)
    assert main(["--switch"]) == 1
    assert "There is no next key. Make one first" in capsys.readouterr().err
    assert main([]) == 0
    assert "Clients hear of it once the server runs" in capsys.readouterr().out
    assert main(["--switch"]) == 0
    assert "need a new invitation" in capsys.readouterr().out
