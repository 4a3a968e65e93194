"""What may stand in the log: nothing that lets somebody in; in a file nothing that steers a terminal."""

from __future__ import annotations

import re
import unicodedata

HIDDEN = "…"

_SECRETS = re.compile(
    r"""
    (?P<invitation>\b(?:fedloom|fedmesh)://)[^\s"'<>]+         # an invitation to a server, or into a mesh
    | (?P<user>\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@"']{0,100}:)[^\s/"'@]{1,200}(?=@)  # the password in a URL
    | (?P<bearer>\bbearer\s+)[^\s"',;]+
    | (?P<named>(?:\b|_)(?:token|password|passwd|secret|api_?key)\s?[=:]\s?)[^\s&"',;)]+
    | (?P<key>-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----).*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def without_secrets(text: str) -> str:
    """The text without what lets somebody in: invitations, passwords in URLs, tokens, private keys."""
    return _SECRETS.sub(lambda found: next(filter(None, found.groups()), "") + HIDDEN, text)


def for_file(text: str) -> str:
    """The text with each control and direction character written out, but for line ends and tabs: who reads
    a file in a terminal is not to have it steered by whoever has written a line."""
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or unicodedata.category(character)[0] != "C" else _written(character)
        for character in text
    )


def _written(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
