"""What this machine has: FedLoom's own folder, a client's key, proxies."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from shared.errors import SettingsInvalid
from shared.finding import Finding, ok, problem, warning
from shared.result_file import try_to_write
from shared.security.client_key import key_file, require_name
from shared.security.keys import KeyPair, KeyUnusable

LITTLE_ROOM = 200 << 20
"""Bytes on the disk of FedLoom's folder that messages and an app's copy may well need."""

PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "all_proxy")


def home(folder: Path) -> Iterator[Finding]:
    """Whether keys and all else that a client keeps can be kept, and by nobody else be changed."""
    what = f"FEDLOOM_HOME, {folder.absolute()},"
    try:
        try_to_write(folder / "doctor")
    except OSError as error:
        yield problem(
            "home",
            f"{what} cannot be written ({error.strerror or error}).",
            "Make it writable for this user, or name another folder with FEDLOOM_HOME.",
        )
        return
    if not folder.exists():
        yield ok("home", f"{what} is made at the first start")
    elif _others_may_write(folder):
        yield warning(
            "home",
            f"{what} can be written by other users of this machine, who could change what it accepts.",
            f"Run `chmod go-w {folder}`.",
        )
    else:
        yield ok("home", f"{what} is this user's")
    if (free := free_bytes(folder)) < LITTLE_ROOM:
        yield warning("disk", f"{free / 1e6:.0f} MB are free in FEDLOOM_HOME.", "Make room.")


def key(folder: Path, client_id: str | None) -> Finding:
    """Whether the client's key can be used, if it has one."""
    if client_id is None:
        return ok("key", "not looked at: no --client-id is given")
    path = key_file(folder, client_id)
    try:
        require_name(client_id)
        if not path.exists():
            return ok("key", f"{client_id} has none yet: it is made at the first start")
        return ok("key", f"{client_id} has the key {KeyPair.load_or_make(path).public.id}")
    except (KeyUnusable, SettingsInvalid, OSError) as error:
        return problem("key", str(error))


def proxies_in(environment: Mapping[str, str]) -> str | None:
    """Which variables for proxies are set, without what is in them: `https_proxy is`, or `http_proxy and
    all_proxy are`. None: none is."""
    given = [each for lower in PROXY_VARIABLES for each in (lower, lower.upper()) if environment.get(each)]
    return f"{' and '.join(given)} {'is' if len(given) == 1 else 'are'}" if given else None


def free_bytes(folder: Path) -> int:
    """On the disk of a folder, which need not be there yet."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _others_may_write(folder: Path) -> bool:
    status = folder.stat()
    return os.name == "posix" and (
        status.st_uid not in (0, os.geteuid()) or bool(stat.S_IMODE(status.st_mode) & 0o022)
    )
