"""`python -m mesh sync`: folders that are kept alike on several nodes."""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path

from mesh.commands.command import Command, key_named, node_folder
from mesh.control import Answer, Json, Say, ask
from mesh.files.settings import DEFAULT_KEEP, DEFAULT_KEEP_DAYS, FolderSettings
from mesh.running import RunningNode
from mesh.syncing.folders import SharedFolders
from shared.errors import SettingsInvalid

SHOWN = 20
"""Files that are not in sync, in the terminal."""


def _add_flags(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    add = actions.add_parser("add", help="share a folder, or share it in another way")
    add.add_argument("path", metavar="FOLDER", type=Path, help="which; it is made if it is not there")
    add.add_argument("--id", metavar="ID", help="by which all nodes know it (the folder's name)")
    add.add_argument(
        "--with",
        dest="members",
        action="append",
        metavar="NAME",
        help="who shares it; may be given several times (all members)",
    )
    add.add_argument("--receive-only", action="store_true", help="what is changed here stays here")
    add.add_argument(
        "--keep",
        type=_number,
        default=DEFAULT_KEEP,
        metavar="N",
        help=f"old versions of a file that are kept ({DEFAULT_KEEP})",
    )
    add.add_argument(
        "--keep-days",
        type=_number,
        default=DEFAULT_KEEP_DAYS,
        metavar="DAYS",
        help=f"for how long ({DEFAULT_KEEP_DAYS})",
    )
    remove = actions.add_parser("remove", help="share a folder no more; its files stay")
    remove.add_argument("id", metavar="ID", help="of the folder")
    actions.add_parser("list", help="which folders are shared, and with whom")
    actions.add_parser("status", help="what is in sync, and what is not, with the reason")


def _carry_out(arguments: argparse.Namespace) -> int:
    folder = node_folder(arguments)
    match arguments.action:
        case "add":
            path = arguments.path.absolute()
            told = ask(
                folder,
                "sync-add",
                id=arguments.id or _id_from(path.name),
                path=str(path),
                members=arguments.members,
                receive_only=arguments.receive_only,
                keep=arguments.keep,
                keep_days=arguments.keep_days,
            )
            print(f"{path} is shared as {told['id']} with {told['with']}. On another node:")
            print(f"  python -m mesh sync add FOLDER --id {told['id']}")
        case "remove":
            ask(folder, "sync-remove", id=arguments.id)
            print(f"{arguments.id} is not shared any more. Its files are where they were.")
        case "list":
            for item in ask(folder, "sync-list")["folders"]:
                only = "  receives only" if item["receive_only"] else ""
                print(f"{item['id']:<20} {item['path']}  with {item['with']}{only}")
        case _:
            for view in ask(folder, "sync-status")["folders"]:
                _show(view)
    return 0


def _show(view: Json) -> None:
    print(f"{view['id']}: {view['in_sync']:,} of {view['files']:,} files in sync, in {_plain(view['path'])}")
    print(f"  {view['alike']:,} of {view['peers']:,} others have said to have the same")
    for problem in filter(None, (view["problem"], view["scans_only"])):
        print(f"  {_plain(problem)}")
    for state in view["not_in_sync"][:SHOWN]:
        words = (
            f"{state['chunks']:,} of {state['of_chunks']:,} chunks" if state["of_chunks"] else state["why"]
        )
        print(f"  {state['condition'].replace('_', ' '):<13} {_plain(state['name'])}: {_plain(words)}")
    if (more := len(view["not_in_sync"]) - SHOWN) > 0:
        print(f"  and {more:,} more")
    for name in view["conflicts"]:
        print(f"  {'conflict':<13} {_plain(name)}: merge it by hand, and delete it")
    for refused in view["refused"]:
        sender = f" ({_plain(refused['sender'])})" if refused["sender"] else ""
        print(f"  {'refused':<13} {refused['count']:,} messages: {refused['why']}{sender}")


def answers(node: RunningNode, folders: SharedFolders) -> Mapping[str, Answer]:
    """What a node that runs answers."""
    return {
        "sync-add": partial(_add, node, folders),
        "sync-remove": partial(_remove, folders),
        "sync-list": partial(_list, node, folders),
        "sync-status": partial(_status, folders),
    }


async def _add(node: RunningNode, folders: SharedFolders, request: Json, _say: Say) -> Json:
    names = request["members"]
    known = node.members.all()
    members = None if names is None else frozenset(key_named(name, known, {}) for name in names)
    path = Path(request["path"])
    try:
        path.mkdir(parents=True, exist_ok=True)
        settings = FolderSettings(
            request["id"], path, members, request["receive_only"], request["keep"], request["keep_days"]
        )
        await folders.add(settings)
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be shared: {error.strerror or error}.") from error
    return {"id": settings.id, "with": _with(node, settings)}


async def _remove(folders: SharedFolders, request: Json, _say: Say) -> Json:
    await folders.remove(request["id"])
    return {}


async def _list(node: RunningNode, folders: SharedFolders, _request: Json, _say: Say) -> Json:
    return {"folders": [{**item.to_json(), "with": _with(node, item)} for item in folders.settings()]}


async def _status(folders: SharedFolders, _request: Json, _say: Say) -> Json:
    return {"folders": [asdict(view) for view in folders.views()]}


def _with(node: RunningNode, settings: FolderSettings) -> str:
    if settings.members is None:
        return "all members"
    known = node.members.all()
    return ", ".join(sorted(known[key].name if key in known else key.short for key in settings.members))


def _id_from(name: str) -> str:
    """An id that a folder's name suggests; the user may choose another."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:48] or "folder"


def _number(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 1,000,000")
    return value


def _plain(text: str) -> str:
    """Fit for a terminal: names are chosen by others."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)


COMMAND = Command("sync", "keep folders alike on several nodes", _add_flags, _carry_out)
