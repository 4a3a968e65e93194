"""KeyId: who somebody is, by the hash of their public key, as people and files write it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Self

from shared.errors import FedLoomError

ID_BYTES = 32
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
"""Of base32, RFC 4648."""
_LOOK_ALIKES = str.maketrans({"0": "O", "1": "I", "8": "B"})
_PART = 13
"""Letters of the id that share a check letter: a quarter of the 52."""
_GROUP = 7
"""Letters between two hyphens."""
_LETTERS = 4 * (_PART + 1)


class KeyIdInvalid(FedLoomError):
    """A text is not the id of a key."""


@dataclass(frozen=True)
class KeyId:
    """The SHA-256 of a public key (DER, SubjectPublicKeyInfo): 32 bytes, which no two keys share.

    As text, four times 13 letters of base32, each with a letter that checks them, in groups of seven. Whoever
    mistypes a letter is told, and so is who swaps two neighbours (but for A and 7). Syncthing's device ids
    are of this form: https://docs.syncthing.net/dev/device-ids.html
    """

    digest: bytes

    def __post_init__(self) -> None:
        if len(self.digest) != ID_BYTES:
            raise KeyIdInvalid(f"The id of a key has {ID_BYTES} bytes, and this has {len(self.digest)}.")

    @classmethod
    def of(cls, public_key: bytes) -> Self:
        """The id of a public key in DER."""
        return cls(hashlib.sha256(public_key).digest())

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`; small letters, blanks and digits that look like letters are taken as well.

        Raises KeyIdInvalid, which says where the first mistake is.
        """
        letters = text.upper().translate(_LOOK_ALIKES)
        letters = "".join(letter for letter in letters if letter not in "- \t\r\n")
        if foreign := next((letter for letter in letters if letter not in _ALPHABET), None):
            raise KeyIdInvalid(
                f"The id of a key has no {foreign!r}: it is of letters and of the digits 2 to 7."
            )
        if len(letters) != _LETTERS:
            raise KeyIdInvalid(
                f"The id of a key has {_LETTERS} letters and digits, and this has {len(letters)}. "
                "Copy all of it."
            )
        parts = [letters[start : start + _PART + 1] for start in range(0, _LETTERS, _PART + 1)]
        for number, part in enumerate(parts):
            if _check_letter(part[:-1]) != part[-1]:
                groups = "-".join([part[:_GROUP], part[_GROUP:]])
                raise KeyIdInvalid(
                    f"There is a mistake in the id of the key: {groups} (groups {2 * number + 1} and "
                    f"{2 * number + 2} of 8). Compare it with the original."
                )
        return cls(base64.b32decode("".join(part[:-1] for part in parts) + "===="))

    def __str__(self) -> str:
        text = base64.b32encode(self.digest).decode().rstrip("=")
        parts = [text[start : start + _PART] for start in range(0, len(text), _PART)]
        letters = "".join(part + _check_letter(part) for part in parts)
        return "-".join(letters[start : start + _GROUP] for start in range(0, _LETTERS, _GROUP))

    @property
    def short(self) -> str:
        """Eight letters, for two people to compare. Not to be believed alone: 40 bits can be searched for."""
        letters = base64.b32encode(self.digest[:5]).decode()
        return f"{letters[:4]}-{letters[4:]}"


def _check_letter(letters: str) -> str:
    """Luhn's check (ISO/IEC 7812-1, annex B) over 32 letters in place of ten digits."""
    total = 0
    for place, letter in enumerate(reversed(letters)):
        weighted = _ALPHABET.index(letter) * (2 if place % 2 == 0 else 1)
        total += weighted // len(_ALPHABET) + weighted % len(_ALPHABET)
    return _ALPHABET[-total % len(_ALPHABET)]
