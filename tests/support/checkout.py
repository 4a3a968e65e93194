"""A checkout with start.sh whose requirements are quick to install."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.processes import ROOT

TIMEOUT_S = 300
"""Each environment is made by pip, which takes seconds, and on a machine with much else to do minutes."""

SHOW_ARGUMENTS = """\
import os, sys
telemetry = os.environ["FLWR_TELEMETRY_ENABLED"]
print("ran", os.path.basename(sys.argv[0]), sys.argv[1:], "in", os.getcwd(), "telemetry", telemetry)
sys.exit(int(os.environ.get("END_WITH", 0)))
"""


class Checkout:
    """A folder with start.sh, its own requirements, and Python scripts that print what they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        folder.mkdir()
        shutil.copy(ROOT / "start.sh", folder)
        (folder / "shared").mkdir()
        shutil.copy(ROOT / "shared" / "packages.py", folder / "shared")
        for name in ("run_demo.py", "run_server.py", "run_client.py"):
            (folder / name).write_text(SHOW_ARGUMENTS)
        self.require("")

    def require(self, text: str) -> None:
        """Set what requirements.txt and requirements-dev.txt ask for."""
        (self.folder / "requirements.txt").write_text(text)
        (self.folder / "requirements-dev.txt").write_text(text)

    def packages(self) -> dict[str, str]:
        """What is in the environment, with its version."""
        (folder,) = self.venv.glob("lib/python3*/site-packages")
        found = (path.name.removesuffix(".dist-info").rpartition("-") for path in folder.glob("*.dist-info"))
        return {
            name.replace("_", "-"): version for name, _, version in found if name not in {"pip", "setuptools"}
        }

    def command(self, *arguments: str) -> list[str]:
        return ["bash", str(self.folder / "start.sh"), *arguments]

    def run(
        self, *arguments: str, stdin: str = "", cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run start.sh to its end."""
        return subprocess.run(
            self.command(*arguments),
            input=stdin,
            cwd=cwd or self.folder,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    def environment(self, **changes: str) -> dict[str, str]:
        """This process's environment without what would change start.sh's course."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("FEDLOOM_", "FLWR_"))
        }
        return {**kept, **changes}


StartCheckout = Callable[..., "subprocess.Popen[str]"]


def kill_family(process: subprocess.Popen[str]) -> None:
    """End a process and its descendants."""
    for member in family(process.pid):
        member.kill()


def family(pid: int) -> list[psutil.Process]:
    """A process and its descendants; nobody, where it has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
