"""--store, for the commands that look into a server's store beside it."""

from __future__ import annotations

import argparse

from app.store.urls import default_url
from shared import paths
from shared.variables import setting


def add_store_flag(parser: argparse.ArgumentParser) -> None:
    """Add it; its value is the URL of a store."""
    parser.add_argument(
        "--store",
        default=setting("FEDLOOM_STORE") or default_url(paths.home_dir()),
        metavar="URL",
        help="the server's store (FEDLOOM_STORE, a file in FEDLOOM_HOME)",
    )
