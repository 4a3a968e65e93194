"""The encrypted file of a backup: what comes out is what went in, or an error in words."""

from __future__ import annotations

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.backups import sealed
from app.backups.sealed import BackupUnusable, SealedReader, SealedWriter

PASSPHRASE = "correct horse battery"
PIECE = 64
HEADER = len(sealed.MAGIC) + sealed.SALT_BYTES + sealed.CHECK_BYTES


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pieces, and a passphrase that is quick to try."""
    monkeypatch.setattr(sealed, "PIECE_BYTES", PIECE)
    monkeypatch.setattr(sealed, "SCRYPT_N", 2)


def seal(data: bytes) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, PASSPHRASE)
    for start in range(0, len(data), 50):
        writer.write(data[start : start + 50])
    writer.close()
    return file.getvalue()


def opened(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    reader = SealedReader(io.BytesIO(data), passphrase, "b.backup")
    return b"".join(iter(lambda: reader.read(37), b""))


anything = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@anything
@given(st.binary(max_size=5 * PIECE))
def test_what_comes_out_is_what_went_in(data: bytes) -> None:
    assert opened(seal(data)) == data


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5])
def test_a_file_that_was_cut_anywhere_is_known(size: int) -> None:
    whole = seal(bytes(size))

    for length in range(HEADER, len(whole)):
        with pytest.raises(BackupUnusable, match="it was cut short, or bytes in it have changed"):
            opened(whole[:length])


@anything
@given(st.data())
def test_a_byte_that_has_changed_anywhere_is_known(data: st.DataObject) -> None:
    whole = bytearray(seal(bytes(3 * PIECE)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(BackupUnusable):
        opened(bytes(whole))


def test_pieces_in_another_order_and_from_another_file_are_known() -> None:
    whole, other = seal(bytes(3 * PIECE)), seal(bytes(3 * PIECE))
    length = PIECE + sealed.TAG_BYTES
    first, second, rest = (
        whole[HEADER:][:length],
        whole[HEADER + length :][:length],
        whole[HEADER + 2 * length :],
    )

    for wrong in (
        whole[:HEADER] + second + first + rest,
        whole[:HEADER] + first + other[HEADER + length :],
        whole + b"more",
    ):
        with pytest.raises(BackupUnusable):
            opened(wrong)


def test_another_passphrase_is_told_from_damage() -> None:
    with pytest.raises(BackupUnusable, match="was made with another passphrase"):
        opened(seal(b"secret"), "a passphrase of somebody else")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 something else", sealed.MAGIC[:-2]])
def test_what_is_no_backup_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(BackupUnusable, match=r"b\.backup is no backup"):
        opened(data)


def test_nothing_of_the_content_can_be_read_in_the_file() -> None:
    assert b"-----BEGIN PRIVATE KEY-----" not in seal(b"-----BEGIN PRIVATE KEY-----" * 20)
