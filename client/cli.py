"""The command line of `run_client.py`."""

from __future__ import annotations

import argparse
from pathlib import Path

from client.settings import ClientSettings
from shared import paths
from shared.interrupt import INTERRUPTED, end_on_signals
from shared.names import DEFAULT_LINK_PORT, DatasetName
from shared.version import __version__


def main(argv: list[str] | None = None) -> int:
    """Parse, run the client, return the exit code."""
    arguments = build_parser().parse_args(argv)
    settings = ClientSettings(
        client_id=arguments.client_id,
        dataset=arguments.dataset,
        server=arguments.server,
        data_dir=arguments.data_dir,
        max_samples=arguments.max_samples,
        device=arguments.device,
        threads=arguments.threads,
    )
    end_on_signals()
    try:
        from client.main import run  # only now: it imports PyTorch
    except KeyboardInterrupt:
        return INTERRUPTED
    return run(settings)


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="run_client.py", description="Join a FedLoom server and train on local data."
    )
    parser.add_argument("--client-id", required=True, help="this client's name, for example client-1")
    parser.add_argument(
        "--dataset",
        choices=list(DatasetName),
        default=DatasetName.DIGITS,
        help="the data to train on (%(default)s)",
    )
    parser.add_argument(
        "--server",
        default=f"127.0.0.1:{DEFAULT_LINK_PORT}",
        metavar="HOST:PORT",
        type=_address,
        help="the server's address for clients, its --link-port (%(default)s)",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=paths.data_dir(),
        help="where the data sets are (FEDLOOM_DATA_DIR, %(default)s)",
    )
    parser.add_argument(
        "--max-samples", type=_positive, default=0, help="train on at most so many samples (all)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (%(default)s)")
    parser.add_argument(
        "--threads",
        type=_positive,
        help="CPU threads (the cores, shared with the other clients on this machine)",
    )
    parser.add_argument("--version", action="version", version=f"FedLoom {__version__}")
    return parser


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return value


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536 or "/" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HOST:PORT. Use the server's name and its link port, "
            f"for example 127.0.0.1:{DEFAULT_LINK_PORT}"
        )
    return text
