"""Words of a command that somebody pastes into a shell."""

from __future__ import annotations

import os
import shlex

from shared.text import printable


def shell_quoted(word: str) -> str:
    """A word, for example a file's name, as a shell reads it.

    Bytes that are no UTF-8 cannot be shown, and stand as `$'\\xe4'` (POSIX.1-2024; bash and zsh since long).
    """
    if printable(word) == word:
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, os.fsencode(word)))}'"


def _escaped(byte: int) -> str:
    character = chr(byte)
    return (
        character
        if character.isascii() and character.isprintable() and character not in "'\\"
        else f"\\x{byte:02x}"
    )
