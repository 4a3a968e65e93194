"""Audit logs as tests need them."""

from __future__ import annotations

from functools import cache

from app.audit.log import AuditLog
from shared.security.keys import KeyPair
from shared.security.merkle import LogTree


@cache
def a_key(whose: str = "server") -> KeyPair:
    """Somebody's key, the same in all of a process: to make one takes a while."""
    return KeyPair.make()


def a_log() -> AuditLog:
    """An empty log, which is kept if a writer takes it."""
    return AuditLog(bytes(range(16)), a_key(), LogTree())
