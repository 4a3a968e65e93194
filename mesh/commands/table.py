"""All commands of `python -m mesh`. A new one is a line here."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from mesh.commands import doctor, invite, join, messages, node, part, run, status, sync
from mesh.commands.command import Command, answers_of
from mesh.commands.run import TrainingSite
from mesh.commands.site import SiteOnDemand
from mesh.control import control
from mesh.node import Received
from mesh.running import RunningNode
from mesh.syncing.folders import SharedFolders, shared_folders
from shared.security.client_key import key_file
from shared.security.keys import KeyPair

SPOKEN: Sequence[Command] = (
    status.STATUS,
    status.PEERS,
    invite.COMMAND,
    join.COMMAND,
    part.UNPAIR,
    part.BLOCK,
    messages.COMMAND,
    sync.COMMAND,
    doctor.COMMAND,
)
"""Those that ask a node that runs, also one within a client."""


def own_key(running: RunningNode) -> KeyPair:
    """Of a node, which has one since it runs. Raises KeyUnusable."""
    return KeyPair.load_or_make(key_file(running.settings.home, running.settings.name))


@asynccontextmanager
async def attending(running: RunningNode, site: TrainingSite | None) -> AsyncIterator[SharedFolders]:
    """Keep a node's shared folders, which are yielded, answer the commands of its user, and show what members
    send.

    `site`: what trains in the runs that members propose; None: it takes part in none. Raises OSError.
    """
    answers = dict(answers_of(running, SPOKEN))
    log = messages.Log(time.monotonic)
    async with AsyncExitStack() as ending:
        ending.callback(running.network.on(messages.TOPIC, partial(_show, log, running)))
        if site is not None:
            taking_part = run.taking_part(running, site)
            answers[run.COMMAND.name] = await ending.enter_async_context(taking_part)
        folders = await ending.enter_async_context(
            shared_folders(running.network, running.members, running.folder, own_key(running))
        )
        answers |= sync.answers(running, folders)
        await ending.enter_async_context(control(running.folder, answers))
        yield folders


@asynccontextmanager
async def _by_itself(running: RunningNode) -> AsyncIterator[None]:
    async with attending(running, SiteOnDemand(running)):
        yield


def _show(log: messages.Log, running: RunningNode, message: Received) -> None:
    log.take(message, running.members.all())


COMMANDS: Sequence[Command] = (node.command(_by_itself), run.COMMAND, *SPOKEN)
