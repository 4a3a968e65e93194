"""A hello is good for one connection to one node, and says nothing until its signature was found good."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from mesh.handshake import HandshakeFailed, HandshakePurpose, Introduction, sign_hello, verify_hello
from mesh.protocol.mesh_pb2 import Hello, Refusal, SignedHello
from mesh.tls import WrongNode, require_key
from shared.address import Address
from shared.security.certificate import make_certificate
from shared.security.key_id import KeyId
from shared.security.statement import Purpose, statement
from tests.support.mesh_world import mesh_key

NONCE = bytes(range(32))
ME = Introduction("client-1", 7, Address("10.0.0.1", 5060))
ACCEPTOR, CONNECTOR = mesh_key(0), mesh_key(1)


def hello(purpose: HandshakePurpose = HandshakePurpose.LINK, token: str = "") -> SignedHello:
    return sign_hello(CONNECTOR, ME, ACCEPTOR.public.id, purpose, token, NONCE)


def signed(said: Hello) -> SignedHello:
    """A hello of any content, well signed."""
    data = said.SerializeToString()
    fields = (NONCE, ACCEPTOR.public.id.digest, CONNECTOR.public.id.digest, data)
    return SignedHello(
        hello=data,
        public_key=CONNECTOR.public.der,
        signature=CONNECTOR.sign(statement(Purpose.MESH_HANDSHAKE, *fields)),
    )


def refused(said: SignedHello, acceptor: KeyId = ACCEPTOR.public.id, nonce: bytes = NONCE) -> Refusal.Code:
    with pytest.raises(HandshakeFailed) as caught:
        verify_hello(said, acceptor, nonce)
    return caught.value.code


def test_whoever_signs_is_known_by_their_key_and_by_what_they_say() -> None:
    guest = verify_hello(hello(HandshakePurpose.PAIR, "secret"), ACCEPTOR.public.id, NONCE)

    assert guest.key == CONNECTOR.public
    assert guest.introduction == ME
    assert (guest.purpose, guest.token) == (HandshakePurpose.PAIR, "secret")


def test_a_hello_that_was_recorded_is_worth_nothing_on_another_connection() -> None:
    assert refused(hello(), nonce=bytes(32)) == Refusal.BAD_HELLO


def test_a_hello_for_one_node_is_worth_nothing_at_another() -> None:
    """A member that passes on what another has signed for it."""
    assert refused(hello(), acceptor=mesh_key(2).public.id) == Refusal.BAD_HELLO


@given(st.data())
def test_a_hello_in_which_a_byte_was_changed_is_refused(data: st.DataObject) -> None:
    said = hello()
    name = data.draw(st.sampled_from(["hello", "public_key", "signature"]))
    changed = bytearray(getattr(said, name))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    setattr(said, name, bytes(changed))

    assert refused(said) == Refusal.BAD_HELLO


@given(st.binary(max_size=300), st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(said: bytes, key: bytes, signature: bytes) -> None:
    assert refused(SignedHello(hello=said, public_key=key, signature=signature)) == Refusal.BAD_HELLO


@pytest.mark.parametrize(
    "said",
    [
        Hello(name="a", epoch=1),
        Hello(purpose=Hello.LINK, name="a", epoch=0),
        Hello(purpose=Hello.LINK, name="a", epoch=2**64 - 1),
        Hello(purpose=Hello.LINK, name="a" * 65, epoch=1),
        Hello(purpose=Hello.LINK, name="a\nb", epoch=1),
        Hello(purpose=Hello.LINK, name="a", epoch=1, listening="nowhere"),
        Hello(purpose=Hello.PAIR, name="a", epoch=1, token="x" * 129),
    ],
)
def test_a_hello_that_says_what_cannot_be_used_is_refused(said: Hello) -> None:
    assert refused(signed(said)) == Refusal.BAD_HELLO


def test_a_node_that_shows_the_expected_key_is_taken_whatever_the_time() -> None:
    """Clocks in the field are wrong: a certificate that held in 1990 is as good as any."""
    pem = make_certificate(ACCEPTOR, datetime(1990, 1, 1, tzinfo=UTC))

    require_key(ssl.PEM_cert_to_DER_cert(pem.decode()), ACCEPTOR.public.id)


def test_a_node_with_another_key_is_not_taken() -> None:
    certificate = ssl.PEM_cert_to_DER_cert(make_certificate(CONNECTOR, datetime.now(UTC)).decode())

    with pytest.raises(WrongNode, match="somebody is between"):
        require_key(certificate, ACCEPTOR.public.id)


@pytest.mark.parametrize("certificate", [None, b"", b"no certificate"])
def test_a_node_without_a_certificate_that_can_be_read_is_not_taken(certificate: bytes | None) -> None:
    with pytest.raises(WrongNode, match="no key"):
        require_key(certificate, ACCEPTOR.public.id)


def test_a_node_with_a_key_of_another_kind_is_not_taken() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(datetime(2040, 1, 1))
        .sign(key, hashes.SHA256())
    )

    with pytest.raises(WrongNode, match="no key"):
        require_key(certificate.public_bytes(serialization.Encoding.DER), ACCEPTOR.public.id)
