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

MANUAL = ("README.md", *(f"docs/{name}.md" for name in ("commands", "data-sets", "flwr-run", "rest", "runs")))
"""README, and what it leads a newcomer to next: tests/e2e/test_readme.py runs its commands."""

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)


def text_of(document: str) -> str:
    """All of a document, by its path in the checkout."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, language: str = "sh") -> list[str]:
    """Its fenced blocks in a language: commands for a shell, or files in TOML or YAML. All say which."""
    found = _BLOCK.findall(text_of(document))
    assert {name for name, _ in found} <= {"sh", "bat", "dockerfile", "toml", "yaml", "python"}, (
        f"{document} has a block that is none"
    )
    return [block for name, block in found if name == language]


def commands(document: str) -> list[str]:
    """The lines of its fenced blocks for a shell, without comments."""
    lines = [re.sub(r"\s+#.*", "", line) for block in blocks(document) for line in block.splitlines()]
    return [line for line in lines if line]


def inline_codes(document: str) -> list[str]:
    """What stands between single backticks."""
    prose = _BLOCK.sub("", text_of(document))
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", prose)]
