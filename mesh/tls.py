"""TLS between nodes: the one that is connected to shows a certificate of its own key, and only the key
counts.

The contexts are built by hand: those that Python makes by default check names and issuers, which mean nothing
here, and from 3.13 refuse certificates that are their own issuers. The node that connects shows its key after
the handshake (`mesh/handshake.py`), since Python cannot ask for a certificate without knowing who may issue
it.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.exceptions import UnsupportedAlgorithm

from shared.errors import FedLoomError
from shared.security.certificate import key_in, make_certificate
from shared.security.key_id import KeyId
from shared.security.keys import KeyPair, KeyUnusable


class WrongNode(FedLoomError):
    """Who answers at a node's address has another key."""


def accepting_context(key: KeyPair) -> ssl.SSLContext:
    """For the node that is connected to, which has this key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0  # nobody resumes: each connection begins with a signed hello
    with TemporaryDirectory(prefix="fedloom-mesh-") as folder:  # of mode 0700; OpenSSL reads from files alone
        file = Path(folder, "node.pem")
        file.write_bytes(key.pem() + make_certificate(key, datetime.now(UTC)))
        context.load_cert_chain(file)
    return context


def connecting_context() -> ssl.SSLContext:
    """For the node that connects. It takes any certificate, and calls `require_key` before it says
    anything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def require_key(certificate: bytes | None, expected: KeyId) -> None:
    """Raise WrongNode unless this certificate (DER) is of the expected key. That its owner has that key too,
    TLS itself has made sure of. Until when it holds is not looked at: clocks in the field are wrong."""
    try:
        found = key_in(ssl.DER_cert_to_PEM_cert(certificate or b"").encode()).id
    except (ValueError, KeyUnusable, UnsupportedAlgorithm) as error:
        raise WrongNode("Who answers there has no key as nodes of the mesh have one.") from error
    if found != expected:
        raise WrongNode(
            f"Who answers there has the key {found.short}, and {expected.short} is expected: another node "
            "has this address now, or somebody is between."
        )
