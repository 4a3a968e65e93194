"""What the app logs, one record in one datagram: so children that it forks can log there as well."""

from __future__ import annotations

import json
import logging
import socket

from .error_text import traceback_text
from .text import printable

MAX_TEXT = 16_384
"""Characters of a message, and of a traceback."""

FLOWER_LEVELS = {"client": logging.WARNING, "server": logging.INFO}
"""Flower's ClientApp reports every step, which FedLoom says in its own words; a strategy says in its log
what nobody else knows."""


def log_to(log_socket: socket.socket, role: str) -> None:
    """Send what is logged from INFO up there."""
    root = logging.getLogger()
    root.handlers = [_SocketHandler(log_socket)]
    root.setLevel(logging.INFO)
    flower = logging.getLogger("flwr")
    flower.handlers = []  # it brings one of its own
    flower.propagate = True
    flower.setLevel(FLOWER_LEVELS[role])


class _SocketHandler(logging.Handler):
    def __init__(self, log_socket: socket.socket) -> None:
        super().__init__()
        self._socket = log_socket

    def emit(self, record: logging.LogRecord) -> None:
        try:
            error = record.exc_info[1] if record.exc_info else None
            text = {
                "level": record.levelno,
                "name": printable(record.name)[:MAX_TEXT],
                "message": printable(record.getMessage())[:MAX_TEXT],
                "traceback": None if error is None else traceback_text(error)[-MAX_TEXT:],
            }
            self._socket.send(json.dumps(text, ensure_ascii=False).encode())
        except Exception:  # noqa: BLE001 - logging's own way to report a handler that fails
            self.handleError(record)
