"""A process that waits in the middle of its work until a test lets it go on."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.waiting import INTERVAL_S, wait_until


@dataclass(frozen=True)
class Held:
    """Armed in the process: before a method is called for the so manieth time, it waits as long as `file` is
    there, which it makes. `place`, `call` and `after`: as `tests.support.forked_server.Death` has them."""

    place: str
    file: Path
    call: int = 1
    after: bool = False

    def arm(self) -> None:
        """Called in that process."""
        module, _, path = self.place.partition(":")
        owner_name, _, name = path.partition(".")
        owner = getattr(importlib.import_module(module), owner_name)
        method = getattr(owner, name)
        calls = 0

        def held(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls != self.call:
                return method(*args, **kwargs)
            setattr(owner, name, method)
            if self.after:
                result = method(*args, **kwargs)
                self._hold()
                return result
            self._hold()
            return method(*args, **kwargs)

        setattr(owner, name, held)

    def _hold(self) -> None:
        self.file.touch()
        while self.file.exists():
            time.sleep(INTERVAL_S)

    def wait(self) -> None:
        """Wait until the process waits."""
        wait_until(self.file.exists, f"somebody has come to {self.place}", 240.0)

    def release(self) -> None:
        """Let it go on."""
        self.file.unlink()
