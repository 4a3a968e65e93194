"""Imported first in the demo's forkserver: Ctrl-C reaches the whole terminal, and must not end its imports.

The processes forked from it set their own handlers (`shared.interrupt`), and it ends with the demo.
"""

from __future__ import annotations

import signal

signal.signal(signal.SIGINT, signal.SIG_IGN)
