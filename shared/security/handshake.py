"""How a client shows who it is: it signs what the server has just made up, and what it says of itself.

The nonce makes a hello good for one connection, the server's key for one server. So nobody gains anything by
passing a hello on, or by asking a client for one.
"""

from __future__ import annotations

import secrets

from shared.proto.link_pb2 import Hello, SignedHello
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, PublicKey
from shared.security.statement import Purpose, statement

NONCE_BYTES = 32


def new_nonce() -> bytes:
    """Random bytes for one connection."""
    return secrets.token_bytes(NONCE_BYTES)


def sign_hello(hello: Hello, key: KeyPair, server: KeyId, nonce: bytes, token: str) -> SignedHello:
    """What a client says of itself, signed by its key for the server with this key."""
    said = hello.SerializeToString()
    return SignedHello(
        hello=said,
        public_key=key.public.der,
        signature=key.sign(_statement(said, key.public.id, server, nonce)),
        token=token,
    )


def verify_hello(signed: SignedHello, server: KeyId, nonce: bytes) -> PublicKey:
    """The key by which a hello was signed for this connection; nothing in it is to be read before.

    Raises BadSignature, and KeyUnusable for a key that is none.
    """
    key = PublicKey(signed.public_key)
    key.verify(signed.signature, _statement(signed.hello, key.id, server, nonce))
    return key


def _statement(hello: bytes, client: KeyId, server: KeyId, nonce: bytes) -> bytes:
    return statement(Purpose.HANDSHAKE, nonce, server.digest, client.digest, hello)
