"""Starts an app's host, by `python -P start.py host CHANNEL_FD LOG_FD MEMORY_FD`, or its warden.

This file stays the `__main__` of the process, and children that `multiprocessing` spawns run it again under
another name. So it does nothing but to make the host's package known, under a name that no app has.
"""

from __future__ import annotations

import atexit
import importlib
import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path

PACKAGE = "_fedloom_app_host"


def _make_known() -> None:
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


def _leave() -> None:
    """End now. Taking PyTorch and its threads apart would need up to 2 s that change nothing."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the app may have put anything in its place
            stream.flush()
    os._exit(1 if hasattr(sys, "last_value") else 0)


if __name__ == "__main__":
    atexit.register(_leave)  # first, and so called last: after what the app has registered
    _make_known()
    _module, *_arguments = sys.argv[1:]
    del sys.argv[1:]  # an app may read its own from there, and gets none
    importlib.import_module(f"{PACKAGE}.{_module}").main(_arguments)
