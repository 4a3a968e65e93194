"""`python -m mesh status` and `peers`: what a node knows of itself and of the others."""

from __future__ import annotations

import argparse

from mesh.commands.command import Command, no_flags, node_folder
from mesh.control import Json, Say, ask
from mesh.refusals import MODEL
from mesh.running import RunningNode
from shared.security.key_id import KeyId


def _show_status(arguments: argparse.Namespace) -> int:
    status = ask(node_folder(arguments), "status")
    states = [peer["state"] for peer in status["peers"]]
    print(f"{status['name']} listens at {', '.join(status['addresses'])}")
    print(f"  key       {status['key']}")
    print(f"  members   {len(states)}, {sum(state in ('online', 'rejoined') for state in states)} online")
    print(f"  traffic   {_bytes(status['sent_bytes'])} sent, {_bytes(status['received_bytes'])} received")
    for what in ("dropped", "refused"):
        if status[what]:
            print(f"  {what:<9} {_counts(status[what])}")
    for peer in status["peers"]:
        if peer["dropped"]:
            print(f"    of {peer['name']}: {_counts(peer['dropped'])}")
    if status["one_sided"]:
        names = {status["key"]: status["name"]} | {peer["key"]: peer["name"] for peer in status["peers"]}
        claims = (f"{names[link['one']]} with {names[link['other']]}" for link in status["one_sided"])
        print(f"  {'one-sided':<9} links that the first states and the second does not: {', '.join(claims)}")
    return 0


async def _status(node: RunningNode, _request: Json, _say: Say) -> Json:
    status = node.network.status().to_json()
    models = {f"{MODEL}{reason}": count for reason, count in status["refused_models"].items()}
    refused = {**status["refused"], **node.pairing.refused, **models}
    return {**status, "refused": refused, "addresses": [str(address) for address in node.addresses]}


def _show_peers(arguments: argparse.Namespace) -> int:
    told = ask(node_folder(arguments), "peers")
    for peer in told["peers"]:
        print(_line(peer))
    for blocked in told["blocked"]:
        print(f"{blocked['name'] or '?':<20} {KeyId.parse(blocked['key']).short}  blocked")
    if not told["peers"] and not told["blocked"]:
        print("Nobody is known here yet. `python -m mesh invite` makes an invitation for another node.")
    return 0


async def _peers(node: RunningNode, _request: Json, _say: Say) -> Json:
    return {
        "peers": node.network.status().to_json()["peers"],
        "blocked": [{"key": str(key), "name": name} for key, name in node.members.blocked().items()],
    }


def _line(peer: Json) -> str:
    words = [f"{peer['name']:<20} {KeyId.parse(peer['key']).short}  {peer['state']:<8}"]
    if peer["hops"] is not None:
        words.append(f"{peer['hops']} hop{'' if peer['hops'] == 1 else 's'}")
    if peer["latency_s"] is not None:
        words.append(f"{peer['latency_s'] * 1e3:.1f} ms")
    words.append("by the server's word" if peer["origin"] == "roster" else "paired")
    if peer["addresses"]:
        words.append(f"at {peer['addresses'][-1]}")
    return "  ".join(words)


def _counts(numbers: Json) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in numbers.items())


def _bytes(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 100_000 else f"{number:,} bytes"


STATUS = Command("status", "what the node is, and what it has seen", no_flags, _show_status, _status)
PEERS = Command("peers", "who the others are, and whether they are there", no_flags, _show_peers, _peers)
