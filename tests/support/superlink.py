"""A real SuperLink of Flower's with two SuperNodes, as processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from shared.flower_superlink import Address, SuperLink
from tests.support.ports import free_port
from tests.support.processes import Command

START_S = 150.0
"""SuperNodes look every 3 s, and a process starts for each message."""


def make_certificate(key_file: Path, certificate_file: Path) -> None:
    """One for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a SuperLink")]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, SHA256())
    )
    pem = serialization.Encoding.PEM
    key_file.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate_file.write_bytes(certificate.public_bytes(pem))


class Federation:
    """A SuperLink with TLS and a secret for who carries out ServerApps, and two SuperNodes."""

    def __init__(self, home: Path, ending: ExitStack) -> None:
        self.port = free_port()
        self.certificate, self.secret = home / "superlink.pem", home / "secret"
        self._home, self._ending = home, ending
        key = home / "superlink.key"
        make_certificate(key, self.certificate)
        self.secret.write_text("what FedLoom and the SuperLink know\n")
        self._start(
            "superlink",
            *f"--isolation process --host 127.0.0.1 --port {self.port}".split(),
            *("--ssl-certfile", str(self.certificate), "--ssl-keyfile", str(key)),
            *("--ssl-ca-certfile", str(self.certificate)),
            *("--superexec-auth-secret-file", str(self.secret)),
        ).wait_for_output("Uvicorn running", START_S)
        for part in range(2):
            self._start(
                "supernode",
                *f"--superlink 127.0.0.1:{self.port} --port {free_port()}".split(),
                *("--root-certificates", str(self.certificate)),
                *("--node-config", f"partition-id={part} num-partitions=2"),
            )

    @property
    def flags(self) -> tuple[str, ...]:
        """Of a server whose runs it carries."""
        return (
            *("--superlink", f"127.0.0.1:{self.port}"),
            *("--superlink-root-certificates", str(self.certificate)),
            *("--superlink-secret-file", str(self.secret)),
        )

    def _start(self, command: str, *flags: str) -> Command:
        process = Command(
            "-m tests.support.flower_process",
            command,
            *flags,
            home=self._home,
            env={
                "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
                "FLWR_HOME": str(self._home / "flwr"),
                "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",
                "FLWR_TELEMETRY_ENABLED": "0",
                "FLWR_DISABLE_UPDATE_CHECK": "1",
                "FLWR_SUPEREXEC_TASK_POLL_INTERVAL": "0.1",
                "OMP_NUM_THREADS": "1",
            },
        )
        self._ending.callback(process.end)
        return process


@contextmanager
def superlink_of(federation: Federation) -> Iterator[SuperLink]:
    """As anybody speaks with it, by `flwr list` and `flwr stop`."""
    certificate = federation.certificate.read_bytes()
    superlink = SuperLink(Address(f"127.0.0.1:{federation.port}", False, certificate))
    yield superlink
    superlink.close()


def states(superlink: SuperLink) -> list[str]:
    """Of all runs there, oldest first."""
    return list(superlink.runs().values())
