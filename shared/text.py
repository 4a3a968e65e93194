"""Text that every reader can take, as `shared.app_host.text` has it for both sides of an app's process."""

from __future__ import annotations

from shared.app_host.text import printable

__all__ = ["printable"]
