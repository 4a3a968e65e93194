"""Manual: a document whose commands a test carries out, each of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from tests.support.processes import run_command

PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b")


class Manual:
    """The commands of a document; in each, words in capitals stand for something else."""

    def __init__(self, commands: Iterable[str]) -> None:
        self.untried = list(commands)
        self._known = tuple(self.untried)

    def words(self, command: str, **meant: str) -> list[str]:
        """What is to be typed in place of a command that stands there so; `HOST="198.18.0.1"` is `meant`."""
        assert command in self._known, f"the document has no command {command!r}"
        if command in self.untried:
            self.untried.remove(command)
        return shlex.split(PLACEHOLDER.sub(lambda found: meant[found[0]], command))

    def carry_out(self, command: str, home: Path, **meant: str) -> str:
        """Do it in FedLoom's folder `home`, where it must succeed; what it says."""
        words = self.words(command, **meant)
        file = home / words.pop() if ">" in words else None
        words = [word for word in words if word != ">"]
        module = words[1] == "-m"
        script, flags = (f"-m {words[2]}", words[3:]) if module else (words[1], words[2:])
        done = run_command(script, *flags, home=home)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        if file is not None:
            file.write_text(done.stdout, encoding="utf-8")
        return done.stdout
