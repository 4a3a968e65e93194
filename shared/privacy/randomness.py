"""The randomness of a release: a keystream that only who has the client's secret can compute.

The key is HMAC-SHA-256 of the secret over what is to be released and what for, so that the same release has
the same noise, however often it is asked for, and anything else has other noise. The keystream is AES-256 in
counter mode.

Noise comes from it by Box and Muller 1958, in float64, and each value is the sum of four, halved: the
rounding of one alone can tell what it was added to (Mironov 2012; Holohan & Braghin 2021, arXiv:2107.10138).
Opacus' secure mode does the same.
"""

from __future__ import annotations

import hashlib
import hmac
import math

import torch
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from torch import Tensor

from shared.security.statement import Field, Purpose, statement

SECRET_BYTES = 32

_SUMMED = 4
"""Normal values that make one."""
_AT_ONCE = 1 << 15
"""Values that are made together: as much as a core's cache holds."""
_MANTISSA = 53


class ReleaseRandomness:
    """Of one release, which `facts` tell from every other."""

    def __init__(self, secret: bytes, *facts: Field) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"a secret of {len(secret)} bytes is too short: {SECRET_BYTES} are needed")
        self._secret = secret
        self._facts = facts

    @property
    def id(self) -> str:
        """By which this release is known, in hex. Nobody without the secret can tell what it stands for."""
        return self._key("id").hex()

    def keystream(self, use: str) -> Keystream:
        """From its beginning, one for each use."""
        return Keystream(self._key(use))

    def _key(self, use: str) -> bytes:
        return hmac.new(self._secret, statement(Purpose.RELEASE, use, *self._facts), hashlib.sha256).digest()


class Keystream:
    """Random numbers from a key of 32 bytes, one after the other, on the CPU in float64."""

    def __init__(self, key: bytes) -> None:
        self._cipher: CipherContext = Cipher(AES256(key), CTR(bytes(16))).encryptor()

    def uniform(self, count: int) -> Tensor:
        """So many numbers from 0 up to 1, without 1."""
        return self._whole(count).to(torch.float64).mul_(2.0**-_MANTISSA)

    def normal(self, count: int) -> Tensor:
        """So many from the standard normal distribution."""
        values = torch.empty(count, dtype=torch.float64)
        for part in values.split(_AT_ONCE):
            self._fill(part)
        return values

    def _fill(self, values: Tensor) -> None:
        """Each two numbers of the keystream give two values, of which each four become one."""
        pairs = self._whole(_SUMMED * len(values)).view(2, -1)
        # from 0 without 0 up to 1, whose logarithm there is
        radius = pairs[0].to(torch.float64).add_(1).mul_(2.0**-_MANTISSA).log_().mul_(-2).sqrt_()
        angle = pairs[1].to(torch.float64).mul_(2 * math.pi * 2.0**-_MANTISSA)
        sums = torch.cos(angle).add_(angle.sin_()).mul_(radius).view(_SUMMED // 2, -1)
        torch.sum(sums, 0, out=values).div_(math.sqrt(_SUMMED))

    def _whole(self, count: int) -> Tensor:
        """Whole numbers of 53 bits."""
        block = bytearray(8 * count)
        if not count:
            return torch.empty(0, dtype=torch.int64)
        self._cipher.update_into(bytes(len(block)), block)
        return (
            torch.frombuffer(block, dtype=torch.int64)
            .bitwise_right_shift_(64 - _MANTISSA)
            .bitwise_and_((1 << _MANTISSA) - 1)
        )
