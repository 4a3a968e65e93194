"""`python -m mesh unpair` and `block`: have less to do with a node, or nothing."""

from __future__ import annotations

import argparse

from mesh.commands.command import Command, key_named, node_folder
from mesh.control import Json, Say, ask
from mesh.running import RunningNode

WHO = "the name of the node, or the letters of its key"


def _add_unpair_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", metavar="NAME", help=WHO)


def _unpair(arguments: argparse.Namespace) -> int:
    answer = ask(node_folder(arguments), "unpair", node=arguments.node)
    if answer["still"]:
        print(
            f"{arguments.node} is not paired any more, and still a member: the federation's server vouches "
            f"for it. `python -m mesh block {arguments.node}` overrules that."
        )
    else:
        print(f"{arguments.node} is not paired any more.")
    return 0


async def _answer_unpair(node: RunningNode, request: Json, _say: Say) -> Json:
    key = key_named(request["node"], node.members.all(), {})
    return {"still": node.members.unpair(key) is not None}


def _add_block_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("node", metavar="NAME", help=f"{WHO}; the whole id for one that is no member")
    parser.add_argument("--undo", action="store_true", help="do not block it any more")


def _block(arguments: argparse.Namespace) -> int:
    ask(node_folder(arguments), "block", node=arguments.node, undo=arguments.undo)
    print(f"{arguments.node} is {'not blocked any more' if arguments.undo else 'blocked'}.")
    return 0


async def _answer_block(node: RunningNode, request: Json, _say: Say) -> Json:
    members = {} if request["undo"] else node.members.all()
    key = key_named(request["node"], members, node.members.blocked())
    if request["undo"]:
        node.members.unblock(key)
    else:
        node.members.block(key)
    return {}


UNPAIR = Command("unpair", "take back that a node was paired", _add_unpair_flags, _unpair, _answer_unpair)
BLOCK = Command("block", "have nothing to do with a node any more", _add_block_flags, _block, _answer_block)
