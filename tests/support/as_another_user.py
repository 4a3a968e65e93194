"""`python -m tests.support.as_another_user ACTION ...`: does something as a user whom nobody knows.

run_client FLAGS   runs a client, with data that is in no file
read FILE          prints what is in a file, or ends with the reason why not

Run by root. All that is needed is imported before, since that user may not enter the folders it is in.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch._dynamo  # noqa: F401

import client.built_in_app  # noqa: F401
from client.cli import main
from client.main import run  # noqa: F401

NOBODY = 65_534

if __name__ == "__main__":
    action, *arguments = sys.argv[1:]
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    if action == "run_client":
        sys.exit(main(arguments))
    try:
        sys.stdout.write(Path(arguments[0]).read_text(encoding="utf-8"))
    except OSError as error:
        sys.exit(str(error))
