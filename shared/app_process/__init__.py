"""FedLoom's side of the process in which a Flower app runs: starts it, talks to it, and ends it.

The other side is `shared.app_host`.
"""

from __future__ import annotations

from shared.app_process.process import AppProcess, Loaded, what_to_load

__all__ = ["AppProcess", "Loaded", "what_to_load"]
