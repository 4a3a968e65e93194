"""What a node does not share: the patterns of its `.fedloomignore`, as Git's are."""

from __future__ import annotations

from pathspec import GitIgnoreSpec

from mesh.files.names import IGNORE_FILE
from mesh.files.tree import Tree
from shared.errors import FedLoomError

MAX_IGNORE_BYTES = 1 << 20


class IgnoreRulesInvalid(FedLoomError):
    """The file of patterns cannot be used. Nothing is shared then: it may be what must not be."""


class IgnoreRules:
    """Which files are not shared."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        try:
            self._spec = GitIgnoreSpec.from_lines(text.splitlines())
        except ValueError as error:
            raise IgnoreRulesInvalid(f"{IGNORE_FILE} has a pattern that is none: {error}") from error

    @classmethod
    def read(cls, tree: Tree) -> IgnoreRules:
        """Those of a folder; none if it has no such file. Raises IgnoreRulesInvalid."""
        try:
            data = tree.read(IGNORE_FILE, MAX_IGNORE_BYTES + 1)
            if len(data) > MAX_IGNORE_BYTES:
                raise IgnoreRulesInvalid(f"{IGNORE_FILE} has more than {MAX_IGNORE_BYTES:,} bytes.")
            return cls(data.decode())
        except FileNotFoundError:
            return cls()
        except (OSError, UnicodeDecodeError) as error:
            raise IgnoreRulesInvalid(f"{IGNORE_FILE} cannot be read: {error}.") from error

    def ignores(self, name: str) -> bool:
        """Whether a file is not shared."""
        return self._spec.match_file(name)

    def ignores_folder(self, name: str) -> bool:
        """Whether nothing in a folder is shared, so that nobody need look."""
        return self._spec.match_file(name + "/")
