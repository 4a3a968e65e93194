"""A client that kills itself at a point of its work, as `kill -9` would."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from app.demo.fleet import PRELOAD
from client.settings import ClientSettings
from tests.support.forked_server import Death, ForkedServer


@contextmanager
def dying_client(client_id: str, server: ForkedServer, data_dir: Path, death: Death) -> Iterator[BaseProcess]:
    """Start one, which has digits."""
    settings = ClientSettings(
        client_id=client_id,
        dataset="digits",
        server=server.link,
        home=server.home,
        data_dir=data_dir,
        threads=1,
    )
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    process = context.Process(target=_join, args=(settings, death), name=client_id, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def _join(settings: ClientSettings, death: Death) -> None:
    from client.main import run

    death.arm()
    sys.exit(run(settings))
