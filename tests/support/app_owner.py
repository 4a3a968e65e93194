"""A process that has an app in another, as FedLoom does: `python -m tests.support.app_owner DIR`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.support.app_host import AskedApp


def main(folder: Path) -> None:
    """Ask the app in `folder/app.py` once, print what it answers, and wait for the end."""
    asked = AskedApp((folder / "app.py").read_text(encoding="utf-8"), folder / "app")
    asked.load()
    print("loaded", flush=True)  # noqa: T201 - the test waits for it
    print("answered", asked.query(), flush=True)  # noqa: T201 - and for that
    time.sleep(600)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
