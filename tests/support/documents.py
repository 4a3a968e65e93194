"""What the documents for users and contributors contain: commands, and words that name something."""

from __future__ import annotations

import re

from tests.support.processes import ROOT

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "bench/README.md",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")),
)

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


def text_of(document: str) -> str:
    """All of a document, by its path in the checkout."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[str]:
    """Its fenced blocks. All of them are commands for a shell, and say so."""
    found = _BLOCK.findall(text_of(document))
    assert {language for language, _ in found} <= {"sh"}, f"{document} has a block that is not marked ```sh"
    return [block for _, block in found]


def commands(document: str) -> list[str]:
    """The lines of its fenced blocks, without comments."""
    lines = [re.sub(r"\s+#.*", "", line) for block in blocks(document) for line in block.splitlines()]
    return [line for line in lines if line]


def inline_codes(document: str) -> list[str]:
    """What stands between single backticks."""
    prose = _BLOCK.sub("", text_of(document))
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
