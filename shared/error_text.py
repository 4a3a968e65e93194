"""What an error says of itself, as `shared.app_host.error_text` has it for both sides of an app's process."""

from __future__ import annotations

from shared.app_host.error_text import error_text, message_of, traceback_text

__all__ = ["error_text", "message_of", "traceback_text"]
