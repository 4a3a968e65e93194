"""`python -m app.next_key`: makes the key that will take the place of the server's, and has it announced."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from app.running_server import RunningServer
from shared import paths
from shared.command import ends_in_words, run
from shared.security.keys import KeyUnusable
from shared.security.server_identity import (
    KEYS,
    SERVER_KEY,
    make_next_key,
    next_key,
    switch_at_next_start,
)


@ends_in_words
def main(argv: Sequence[str] | None = None) -> int:
    """Do what is asked, return the exit code: 0, or 1 with a message."""
    arguments = build_parser().parse_args(argv)
    switch() if arguments.switch else announce()
    return 0


def announce() -> None:
    """Make the next key, and have the server that runs tell its clients. Raises FedLoomError."""
    home = paths.home_dir()
    if not (home / KEYS / SERVER_KEY).exists():
        raise KeyUnusable(f"No server has been started in {home.absolute()} yet: it has no key to replace.")
    following = make_next_key(home)
    print(f"The server's next key is {following.public.id.short}.")
    server = RunningServer.find(home)
    if server is None:
        print("Clients hear of it once the server runs and they are connected.")
        return
    server.post("/api/v1/next-key")
    print("All clients that are connected know it now; the others hear of it when they come.")


def switch() -> None:
    """Have it take its place at the next start. Raises FedLoomError."""
    home = paths.home_dir()
    following = next_key(home)
    if following is None:
        raise KeyUnusable(
            "There is no next key. Make one first, with `python -m app.next_key`, and give all clients time "
            "to hear of it."
        )
    try:
        switch_at_next_start(home)
    except OSError as error:
        raise KeyUnusable(f"It cannot be kept that the next key is to take its place: {error}.") from error
    print(
        f"From its next start on the server has the key {following.public.id.short}. Clients that have not "
        "heard of it need a new invitation then, and invitations from before are no good any more."
    )


def build_parser() -> argparse.ArgumentParser:
    """The flags."""
    parser = argparse.ArgumentParser(
        prog="python -m app.next_key",
        description="Make the key that will take the place of the server's, and tell its clients. Once all "
        "have heard of it, --switch and start the server again: they take it for the same server.",
    )
    parser.add_argument(
        "--switch",
        action="store_true",
        help="have the next key take its place when the server is started again",
    )
    return parser


if __name__ == "__main__":
    run(main)
