"""An invitation to a mesh survives mails, people and pictures; of those that are open, each is used once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.trust.folder import FolderUnusable
from mesh.trust.invitation import MAX_ADDRESSES, MeshInvitation, new_token
from mesh.trust.kept_invitations import Clocks, kept_invitations
from mesh.trust.open_invitations import (
    LIFETIME_S,
    MAX_OPEN,
    MAX_WRONG,
    Invitations,
    PairingRefused,
    Refusal,
    TooManyInvitations,
)
from shared import qr
from shared.address import Address
from shared.security.invitation_text import InvitationInvalid
from shared.security.key_id import KeyId

KEY, ANA, EVE = (KeyId(bytes([number]) * 32) for number in range(3))
INVITATION = MeshInvitation((Address("10.0.0.5", 5060), Address("::1", 5061)), KEY, "Tk-_" * 6)
TEXT = str(INVITATION)

addresses = st.builds(
    Address, st.sampled_from(["localhost", "example.org", "10.0.0.1", "::1"]), st.integers(1, 65535)
)


class TestText:
    @given(
        st.lists(addresses, min_size=1, max_size=MAX_ADDRESSES, unique=True).map(tuple),
        st.binary(min_size=32, max_size=32),
        st.text("ABCxyz0189_-", min_size=16, max_size=128),
    )
    def test_an_invitation_survives_text(
        self, addresses: tuple[Address, ...], digest: bytes, token: str
    ) -> None:
        invitation = MeshInvitation(addresses, KeyId(digest), token)

        assert MeshInvitation.parse(str(invitation)) == invitation
        assert len(str(invitation)) < 400, "it has to fit into a QR code that a telephone can read"

    @given(st.text(max_size=200) | st.text(max_size=120).map("fedmesh://".__add__))
    def test_any_text_is_an_invitation_or_refused(self, text: str) -> None:
        try:
            invitation = MeshInvitation.parse(text)
        except InvitationInvalid:
            return
        assert MeshInvitation.parse(str(invitation)) == invitation

    def test_it_is_read_from_a_picture(self, tmp_path: Path) -> None:
        qr.save_png(TEXT, tmp_path / "code.png")

        assert MeshInvitation.parse(qr.read_picture(tmp_path / "code.png")) == INVITATION

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("", "begins with fedmesh://"),
            (TEXT.replace("fedmesh", "fedloom"), "give it to run_client.py, with --invite"),
            (TEXT.partition("&")[0], "has no token"),
            (TEXT.replace("also=", "also=nowhere,"), "address in the invitation"),
            (TEXT.replace("also=", "also=,"), "address in the invitation"),
            (TEXT.replace("also=", "also=" + "".join(f"a:{port}," for port in range(1, 9))), "1 to 4 addr"),
        ],
    )
    def test_what_is_no_invitation_is_refused_without_the_secret(self, text: str, complaint: str) -> None:
        with pytest.raises(InvitationInvalid, match=complaint) as caught:
            MeshInvitation.parse(text)
        assert INVITATION.token[:12] not in str(caught.value)

    def test_the_secret_is_not_in_what_a_log_shows(self) -> None:
        assert INVITATION.token not in repr(INVITATION)

    def test_two_tokens_are_not_alike_and_hold_128_bits(self) -> None:
        tokens = {new_token() for _ in range(100)}

        assert len(tokens) == 100
        assert all(len(token) == 22 for token in tokens)


def refusal(invitations: Invitations, token: str, key: KeyId, now: float) -> Refusal:
    with pytest.raises(PairingRefused) as refused:
        invitations.use(token, key, now)
    return refused.value.reason


class TestUse:
    def test_one_is_used_once_and_by_who_came_first(self) -> None:
        invitations = Invitations()
        token = invitations.make(0.0)

        invitations.use(token, ANA, 1.0)

        assert refusal(invitations, token, EVE, 2.0) is Refusal.USED
        invitations.use(token, ANA, 3.0)  # she has not heard the answer
        assert invitations.refused == {Refusal.USED: 1}

    def test_it_expires(self) -> None:
        invitations = Invitations()
        token = invitations.make(0.0)

        assert refusal(invitations, token, ANA, LIFETIME_S) is Refusal.EXPIRED
        invitations.make(3 * LIFETIME_S)
        assert refusal(invitations, token, ANA, 3 * LIFETIME_S) is Refusal.UNKNOWN, "it was forgotten"

    def test_whoever_has_used_it_cannot_use_it_for_ever(self) -> None:
        invitations = Invitations()
        token = invitations.make(0.0)
        invitations.use(token, ANA, 1.0)

        assert refusal(invitations, token, ANA, LIFETIME_S) is Refusal.EXPIRED

    def test_after_a_few_guesses_no_open_one_is_good_any_more(self) -> None:
        invitations = Invitations()
        used, token = invitations.make(0.0), invitations.make(0.0)
        invitations.use(used, ANA, 0.0)
        for number in range(MAX_WRONG):
            assert refusal(invitations, f"guess-{number}", EVE, 1.0) is Refusal.UNKNOWN

        assert refusal(invitations, token, ANA, 1.0) is Refusal.VOID
        invitations.use(used, ANA, 1.0)
        assert invitations.refused == {Refusal.UNKNOWN: MAX_WRONG, Refusal.VOID: 1}
        invitations.use(invitations.make(2.0), ANA, 2.0)  # a new one is good

    def test_fewer_guesses_do_no_harm(self) -> None:
        invitations = Invitations()
        token = invitations.make(0.0)
        for _ in range(MAX_WRONG - 1):
            refusal(invitations, "", EVE, 1.0)

        invitations.use(token, ANA, 1.0)

    def test_not_any_number_is_open(self) -> None:
        invitations = Invitations()
        tokens = [invitations.make(0.0) for _ in range(MAX_OPEN)]
        with pytest.raises(TooManyInvitations):
            invitations.make(0.0)
        invitations.use(tokens[0], ANA, 0.0)

        invitations.make(0.0)

    def test_the_token_itself_is_not_kept(self) -> None:
        invitations = Invitations()
        token = invitations.make(0.0)

        assert token not in repr(vars(invitations))


class TestRestart:
    """The node's process ends, and another one goes on."""

    def test_what_was_open_is_open_until_its_time_and_what_was_used_is_used(self, tmp_path: Path) -> None:
        before = started(tmp_path, monotonic=5_000.0, wall=1_000_000.0)
        used, open_one = before.make(5_000.0), before.make(5_000.0)
        before.use(used, ANA, 5_001.0)

        after = started(tmp_path, monotonic=10.0, wall=1_000_060.0)

        assert refusal(after, used, EVE, 10.0) is Refusal.USED
        after.use(used, ANA, 10.0)
        assert refusal(after, open_one, ANA, 10.0 + LIFETIME_S - 60.0) is Refusal.EXPIRED
        after.use(open_one, ANA, 9.0 + LIFETIME_S - 60.0)

    def test_what_was_void_stays_so(self, tmp_path: Path) -> None:
        before = started(tmp_path)
        token = before.make(0.0)
        for number in range(MAX_WRONG):
            refusal(before, f"guess-{number}", EVE, 1.0)

        assert refusal(started(tmp_path), token, ANA, 1.0) is Refusal.VOID

    @pytest.mark.parametrize("wall", [0.0, 999_000.0, 1_000_000.0])
    def test_a_clock_that_was_set_back_makes_none_last_longer_than_a_new_one(
        self, tmp_path: Path, wall: float
    ) -> None:
        token = started(tmp_path, wall=1_000_000.0).make(0.0)

        assert refusal(started(tmp_path, wall=wall), token, ANA, LIFETIME_S) is Refusal.EXPIRED

    def test_the_file_has_no_token_and_is_its_users_alone(self, tmp_path: Path) -> None:
        token = started(tmp_path).make(0.0)
        file = tmp_path / "invitations.json"

        assert token not in file.read_text()
        assert file.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize(
        "damaged", [b"", b"{}", b"[1]", b'[{"expires": "x"}]', b"\xff", b"[" * 100_000, b" " * (1 << 21)]
    )
    def test_with_a_damaged_file_none_is_open_and_new_ones_are(
        self, tmp_path: Path, damaged: bytes, caplog: pytest.LogCaptureFixture
    ) -> None:
        token = started(tmp_path).make(0.0)
        (tmp_path / "invitations.json").write_bytes(damaged)

        after = started(tmp_path)

        if damaged != b"{}":  # which has none, in another way
            assert "invite anew" in caplog.text
        assert refusal(after, token, ANA, 1.0) is Refusal.UNKNOWN
        after.use(after.make(1.0), ANA, 1.0)

    def test_one_that_cannot_be_kept_is_not_handed_out(self, tmp_path: Path) -> None:
        invitations = started(tmp_path)
        (tmp_path / "invitations.json").mkdir()

        with pytest.raises(FolderUnusable, match="cannot be written"):
            invitations.make(0.0)


def started(folder: Path, monotonic: float = 0.0, wall: float = 0.0) -> Invitations:
    """Those of a node whose process starts when its clocks say this."""
    return kept_invitations(folder / "invitations.json", Clocks(lambda: monotonic, lambda: wall))
