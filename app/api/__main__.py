"""`python -m app.api`: write the API's description to standard output, as the front end has it committed."""

from __future__ import annotations

import sys

from app.api.openapi import as_json
from app.environment import Environment
from app.server import create_app
from app.settings import ServerSettings
from shared.command import run


def main() -> int:
    """Describe all routes of a server, which is made for that and never started."""
    sys.stdout.write(as_json(create_app(Environment(ServerSettings()))))
    return 0


if __name__ == "__main__":
    run(main)
