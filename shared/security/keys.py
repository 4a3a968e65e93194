"""RSA-2048 keys: made where they are used, kept in a file that only its user can read, and never sent."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shared.errors import FedLoomError
from shared.security.key_id import KeyId

KEY_BITS = 2048
EXPONENT = 65537
MAX_KEY_BYTES = 16 << 10
"""Of a file. One of RSA-2048 has 1.7 kB."""

_SHA256 = hashes.SHA256()
_PADDING = padding.PSS(mgf=padding.MGF1(_SHA256), salt_length=padding.PSS.DIGEST_LENGTH)
"""RSA-PSS with SHA-256, and a salt as long as the digest (RFC 8017)."""


class KeyUnusable(FedLoomError):
    """A key is not there, or not as it must be."""


class BadSignature(FedLoomError):
    """What came is not what was signed, or whoever signed it is somebody else."""


@dataclass(frozen=True)
class PublicKey:
    """A key by which somebody is known."""

    der: bytes
    """SubjectPublicKeyInfo."""

    @classmethod
    def of(cls, key: rsa.RSAPublicKey) -> Self:
        """A key of the library's."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return cls(key.public_bytes(serialization.Encoding.DER, form))

    @cached_property
    def id(self) -> KeyId:
        """Whose key it is."""
        return KeyId.of(self.der)

    def verify(self, signature: bytes, statement: bytes) -> None:
        """Raises BadSignature unless the key's owner has signed this statement, KeyUnusable for a key that is
        none."""
        try:
            self._key.verify(signature, statement, _PADDING, _SHA256)
        except InvalidSignature as error:
            raise BadSignature(f"The signature is not one by the key {self.id}.") from error

    @cached_property
    def _key(self) -> rsa.RSAPublicKey:
        if len(self.der) > MAX_KEY_BYTES:
            raise KeyUnusable(f"A public key of {len(self.der):,} bytes is not taken.")
        try:
            key = serialization.load_der_public_key(self.der)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyUnusable("What came as a public key is none.") from error
        if not isinstance(key, rsa.RSAPublicKey) or key.key_size != KEY_BITS:
            raise KeyUnusable(f"A public key is not of RSA with {KEY_BITS} bits, as all keys here are.")
        if PublicKey.of(key).der != self.der:
            raise KeyUnusable("A public key is not encoded as it must be: it would have two ids.")
        return key


@dataclass(frozen=True)
class KeyPair:
    """Somebody's own key."""

    private: rsa.RSAPrivateKey

    @classmethod
    def make(cls) -> Self:
        """A new one; takes some 60 ms, now and then 300."""
        return cls(rsa.generate_private_key(EXPONENT, KEY_BITS))

    @classmethod
    def load_or_make(cls, path: Path) -> Self:
        """The key in a file, which is made if there is none.

        Raises KeyUnusable for a file that others may read, or that holds no such key: it is never replaced,
        since whoever loses a key is somebody else from then on.
        """
        try:
            if not path.exists():
                _write_new(path, cls.make())
            return cls._load(path)
        except OSError as error:
            raise KeyUnusable(f"The key {path} cannot be used: {error.strerror or error}.") from error

    @cached_property
    def public(self) -> PublicKey:
        """What others know of it."""
        return PublicKey.of(self.private.public_key())

    def sign(self, statement: bytes) -> bytes:
        """A signature of 256 bytes; takes 0.3 ms."""
        return self.private.sign(statement, _PADDING, _SHA256)

    def pem(self) -> bytes:
        """The private key, for a file and for TLS; not encrypted."""
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    @classmethod
    def _load(cls, path: Path) -> Self:
        with path.open("rb") as file:
            _require_own(path, os.fstat(file.fileno()))
            data = file.read(MAX_KEY_BYTES + 1)
        try:
            key = serialization.load_pem_private_key(data, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyUnusable(
                f"{path} holds no key that can be read. Restore it from a copy; without it, whoever it "
                "belonged to has to join anew: then move the file away."
            ) from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != KEY_BITS:
            raise KeyUnusable(f"{path} holds a key that is not of RSA with {KEY_BITS} bits.")
        return cls(key)


def _require_own(path: Path, status: os.stat_result) -> None:
    if os.name != "posix":
        return
    if status.st_uid != os.geteuid():
        raise KeyUnusable(f"{path} belongs to another user of this machine, who can replace it.")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise KeyUnusable(
            f"{path} may be read or written by other users of this machine. If nobody can have read it, run "
            f"`chmod 600 {path}`; else move it away, and join anew with a new key."
        )


def _write_new(path: Path, key: KeyPair) -> None:
    """Whole and on the disk before it has its name; of two who do so at once, the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".key-")  # of mode 0600
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.pem())
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on the disk."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
