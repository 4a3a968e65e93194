"""--federation-cert: the one certificate that a dashboard takes of its federation."""

from __future__ import annotations

import ssl
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.replica.federation import Federation, FederationAway
from shared.errors import SettingsInvalid
from shared.security.server_identity import KEYS
from tests.support.api import Api
from tests.support.dashboards import Dashboard
from tests.support.little_federation import little_federation
from tests.support.processes import ServerProcess
from tests.support.waiting import wait_until

KEY = "k" * 43
DAY = timedelta(days=1)


class Holder:
    """A key, and a certificate of it in a file: of its own, or of an authority."""

    def __init__(self, folder: Path, name: str, by: Holder | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = by or self
        self.certificate = (
            x509.CertificateBuilder(
                issuer.name, self.name, self.key.public_key(), x509.random_serial_number()
            )
            .not_valid_before(datetime.now(UTC) - DAY)
            .not_valid_after(datetime.now(UTC) + DAY)
            .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
            .sign(issuer.key, hashes.SHA256())
        )
        self.path = folder / f"{name}.crt"
        self.path.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        self._key_path = folder / f"{name}.key"
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._key_path.write_bytes(pem)

    def context(self) -> ssl.SSLContext:
        """Of a server that shows the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self._key_path)
        return context


def hears(server: Holder, certificate: Path | None) -> bool:
    """Whether a dashboard that was given a certificate asks a server that shows its own."""
    with (
        little_federation(server.context()) as url,
        closing(Federation(url, KEY, certificate)) as federation,
    ):
        try:
            return "little" in federation.snapshot()
        except FederationAway as error:
            if "certificate" not in str(error):
                raise
            return False


def test_only_the_certificate_in_the_file_is_taken(tmp_path: Path) -> None:
    authority, other = Holder(tmp_path, "authority"), Holder(tmp_path, "other")
    one, two = Holder(tmp_path, "one", authority), Holder(tmp_path, "two", authority)
    chain = tmp_path / "chain.crt"
    chain.write_bytes(one.path.read_bytes() + authority.path.read_bytes())

    assert hears(other, other.path)
    assert hears(one, one.path)
    assert hears(one, chain)
    assert not hears(other, one.path)
    assert not hears(two, one.path)
    assert not hears(two, chain), "of the same authority"
    assert not hears(one, authority.path), "an authority is not the server"
    assert not hears(other, None)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"\xff\xfe"])
def test_a_file_that_holds_no_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "federation.crt"
    path.write_bytes(content)

    with pytest.raises(SettingsInvalid, match="--federation-cert"):
        Federation("https://localhost:1", KEY, path)
    with pytest.raises(SettingsInvalid, match="--federation-cert"):
        Federation("https://localhost:1", KEY, tmp_path / "none.crt")


def test_a_dashboard_shows_a_federation_by_https(tmp_path: Path) -> None:
    federation = ServerProcess("--role", "federation", "--tls", home=tmp_path)
    flags = ("--federation-cert", str(tmp_path / KEYS / "server.crt"))
    dashboard = Dashboard(*flags, home=tmp_path, federation=federation.url)
    try:
        with Api(dashboard.url) as api:
            wait_until(lambda: '"ok"' in api.http.get("/healthz").text, "the dashboard shows the federation")
            assert api.http.get("/api/v1/status").status_code == 401
    finally:
        dashboard.end()
        federation.end()
