"""Keys: nobody else's, never replaced, and a signature says who has signed what, for what."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from shared.security.keys import BadSignature, KeyPair, KeyUnusable, PublicKey
from shared.security.statement import Purpose, statement

SAID = statement(Purpose.UPDATE, "run", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "client-1.pem"


def test_what_was_signed_is_verified_by_whoever_has_the_public_key(key: KeyPair) -> None:
    PublicKey(key.public.der).verify(key.sign(SAID), SAID)


def test_another_key_another_statement_or_another_purpose_is_no_signature(
    key: KeyPair, other: KeyPair
) -> None:
    signature = key.sign(SAID)

    for verifier, said in [
        (other, SAID),
        (key, statement(Purpose.UPDATE, "run", 2)),
        (key, statement(Purpose.MODEL, "run", 1)),
    ]:
        with pytest.raises(BadSignature, match="is not one by the key"):
            verifier.public.verify(signature, said)


@given(st.integers(0, 255), st.integers(1, 255))
def test_a_signature_with_one_bit_changed_is_none(key: KeyPair, place: int, change: int) -> None:
    signature = bytearray(key.sign(SAID))
    signature[place] ^= change

    with pytest.raises(BadSignature):
        key.public.verify(bytes(signature), SAID)


@pytest.mark.parametrize("signature", [b"", b"x", bytes(256), bytes(10_000)])
def test_what_is_no_signature_at_all_is_a_bad_one(key: KeyPair, signature: bytes) -> None:
    with pytest.raises(BadSignature):
        key.public.verify(signature, SAID)


@pytest.mark.parametrize(
    "scheme",
    [
        padding.PKCS1v15(),
        padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=0),
        padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.MAX_LENGTH),
    ],
    ids=["PKCS 1", "no salt", "longest salt"],
)
def test_a_signature_of_another_scheme_is_none(key: KeyPair, scheme: padding.AsymmetricPadding) -> None:
    with pytest.raises(BadSignature):
        key.public.verify(key.private.sign(SAID, scheme, hashes.SHA256()), SAID)


def _der(key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.DER, form)


@pytest.mark.parametrize("kind", ["garbage", "nothing", "huge", "elliptic", "small", "with a rest"])
def test_what_is_no_such_public_key_is_refused(key: KeyPair, kind: str) -> None:
    der = {
        "garbage": b"\x30\x82garbage",
        "nothing": b"",
        "huge": bytes(1 << 20),
        "elliptic": _der(ec.generate_private_key(ec.SECP256R1()).public_key()),
        "small": _der(rsa.generate_private_key(65537, 1024).public_key()),
        "with a rest": key.public.der + b"\0",
    }[kind]

    with pytest.raises(KeyUnusable):
        PublicKey(der).verify(key.sign(SAID), SAID)


# the file


def test_a_key_is_made_once_and_only_its_user_can_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        key = KeyPair.load_or_make(path)
    finally:
        os.umask(before)

    assert KeyPair.load_or_make(path).public.id == key.public.id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_of_many_who_make_a_key_at_once_all_have_the_same(path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(str(KeyPair.load_or_make(path).public.id)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_or_write_is_refused(path: Path, mode: int) -> None:
    KeyPair.load_or_make(path)
    path.chmod(mode)

    with pytest.raises(KeyUnusable, match=r"other users of this machine.*chmod 600"):
        KeyPair.load_or_make(path)


@pytest.mark.parametrize("content", [b"", b"no key", b"\xff" * 100_000])
def test_a_file_that_holds_no_key_is_said_and_stays_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(KeyUnusable, match="holds no key that can be read"):
        KeyPair.load_or_make(path)
    assert path.read_bytes() == content


def test_a_key_of_another_kind_is_refused(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(KeyPair(rsa.generate_private_key(65537, 1024)).pem())

    with pytest.raises(KeyUnusable, match="not of RSA with 2048 bits"):
        KeyPair.load_or_make(path)


def test_a_key_with_a_password_is_refused_in_words(path: Path, key: KeyPair) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(
        key.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(KeyUnusable, match="holds no key that can be read"):
        KeyPair.load_or_make(path)


def test_a_place_where_no_key_can_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")

    with pytest.raises(KeyUnusable, match="cannot be used"):
        KeyPair.load_or_make(tmp_path / "file" / "key.pem")
