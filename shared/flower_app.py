"""A Flower app in a folder: what it is called, what it consists of, and whether both ends have the same.

The format is Flower's: a `pyproject.toml` with `[tool.flwr.app]` that names the ServerApp and the ClientApp.
Code is never sent over the link, so each end reads a folder of its own, and the two are compared.
"""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from shared import rounds_key
from shared.app_folder import COPY_MARK, files_ending_with
from shared.errors import AppInvalid
from shared.federations import supernodes_of
from shared.proto.link_pb2 import AppIdentity
from shared.wire import ConfigScalar

PROJECT_FILE = "pyproject.toml"


@dataclass(frozen=True)
class FlowerApp:
    """A Flower app, as it was when its folder was read."""

    folder: Path
    """Absolute, without links."""
    name: str
    version: str
    digest: str
    """SHA-256, in hex, of the names and contents of `files`."""
    serverapp: str
    """Where the ServerApp is: `module:attribute`."""
    clientapp: str
    """Where the ClientApp is: `module:attribute`."""
    run_config: dict[str, ConfigScalar] = field(default_factory=dict)
    """The app's own run config; keys of nested tables are joined by dots, as Flower does."""
    rounds_key: str | None = None
    """The key of the run config that says how many rounds there are; None where nobody can know it."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256, in hex, of each file that Flower would bundle, by path in the folder (with slashes)."""
    supernodes: int | None = None
    """How many clients its default federation simulates; None if it does not say."""
    dependencies: tuple[str, ...] = ()
    """The packages that the app asks for, in pip's notation."""
    fab: bytes = field(default=b"", repr=False, compare=False)
    """Flower's bundle (a zip file) with `files` as they were read: at most 10 MB."""

    def identity(self) -> AppIdentity:
        """What the two ends of the link tell each other about their apps."""
        return AppIdentity(name=self.name, version=self.version, digest=self.digest)


def read_app(folder: Path, named_rounds_key: str | None = None) -> FlowerApp:
    """Read the app in a folder, without importing any of it. Raises AppInvalid, in words.

    `named_rounds_key`: the key of its run config that says how many rounds it runs; None: the one that looks
    like it.
    """
    # Only now: a process without an app does without Flower
    from shared.flower import BUNDLED_ENDINGS, bundle, bundled, flatten_dict

    folder = folder.expanduser().resolve()
    parsed = _parse(folder)
    try:
        fab = bundle(files_ending_with(folder, BUNDLED_ENDINGS))
        files = {path: file_digest(path, content) for path, content in bundled(fab).items()}
        run_config = flatten_dict(parsed.tool.flwr.app.config)
    except ValueError as error:
        raise AppInvalid(f"{folder} is no Flower app that can be run: {_one_line(str(error))}") from error
    except OSError as error:
        raise AppInvalid(f"The Flower app in {folder} cannot be read: {error}.") from error
    for key, value in run_config.items():
        if (problem := value_problem(value)) is not None:
            raise AppInvalid(f"{folder / PROJECT_FILE}: the value of {key} in the run config {problem}.")
    return FlowerApp(
        folder=folder,
        name=parsed.project.name,
        version=parsed.project.version,
        digest=digest_of(files),
        serverapp=parsed.tool.flwr.app.components.serverapp,
        clientapp=parsed.tool.flwr.app.components.clientapp,
        run_config=run_config,
        rounds_key=_rounds_key(run_config, named_rounds_key),
        files=files,
        supernodes=supernodes_of(parsed.tool.flwr.federations),
        dependencies=tuple(parsed.project.dependencies),
        fab=fab,
    )


def _rounds_key(run_config: dict[str, ConfigScalar], named: str | None) -> str | None:
    if named is not None:
        return rounds_key.named(named, run_config)
    found = rounds_key.candidates(run_config)
    return found[0] if len(found) == 1 else None


def file_digest(path: str, content: bytes) -> str:
    """SHA-256, in hex, of a file that Flower bundles. Raises ValueError for a pyproject.toml without TOML."""
    return _sha256(_canonical(path, content))


def digest_of(files: Mapping[str, str]) -> str:
    """SHA-256, in hex, of an app: of its files' names, with what `file_digest` says of each."""
    return _sha256(json.dumps(dict(files), sort_keys=True).encode())


def value_problem(value: ConfigScalar) -> str | None:
    """Why a config value cannot travel over the link or be shown, in words."""
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "does not fit into 64 bits"
    return None


class Identity(Protocol):
    """What is compared: a FlowerApp, or what came over the link."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def digest(self) -> str: ...


def compare(server: Identity | None, client: Identity | None) -> str | None:
    """Why the two ends cannot work together, in words; None if they can. No app: the built-in one."""
    if server is None and client is None:
        return None
    if server is None:
        return (
            f"The client runs the Flower app {_named(client)}, the server the built-in app. "
            "Start the client without --app, or the server with it."
        )
    if client is None:
        return (
            f"The server runs the Flower app {_named(server)}, the client the built-in app. "
            "Start the client with --app and the folder of that app."
        )
    if server.name != client.name:
        return (
            f"The server runs the Flower app {_named(server)}, the client {_named(client)}. "
            "Start both with the same app."
        )
    if server.version != client.version:
        return (
            f"The server runs version {server.version} of the Flower app {server.name}, the client version "
            f"{client.version}. Give both the same files."
        )
    if server.digest != client.digest:
        return (
            f"Server and client run version {server.version} of the Flower app {server.name}, but their "
            f"files differ (SHA-256 {server.digest[:12]} at the server, {client.digest[:12]} at the client). "
            "Give both the same files, and start what had others anew: they are read at the start. Line "
            "endings count, what .gitignore names does not."
        )
    return None


def _named(app: Identity | None) -> str:
    return "" if app is None else f"{app.name} {app.version}"


# pyproject.toml, as far as it is about the app


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class _Project(_Table):
    name: str
    version: str
    dependencies: list[str] = []


class _Components(_Table):
    serverapp: str
    clientapp: str


class _App(_Table):
    components: _Components
    config: dict[str, Any] = {}


class _Flwr(_Table):
    app: _App
    federations: Any = None


class _Tool(_Table):
    flwr: _Flwr


class _ProjectFile(_Table):
    project: _Project
    tool: _Tool


def _parse(folder: Path) -> _ProjectFile:
    path = folder / PROJECT_FILE
    if not folder.is_dir():
        raise AppInvalid(
            f"There is no folder {folder}. A Flower app is a folder that holds a {PROJECT_FILE} and code."
        )
    if (folder / COPY_MARK).exists():
        raise AppInvalid(
            f"{folder} is the copy of a Flower app from which FedLoom runs it, made anew for every run. Give "
            "the folder that it was made of."
        )
    if not path.is_file():
        raise AppInvalid(f"{folder} is no Flower app: there is no {PROJECT_FILE} in it.")
    try:
        return _ProjectFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise AppInvalid(
            f"{path} does not describe a Flower app: {'.'.join(map(str, first['loc']))}: {first['msg']}. "
            "It needs a name and a version under [project], and a serverapp and a clientapp under "
            "[tool.flwr.app.components]."
        ) from error
    except ValueError as error:  # of TOML, or of UTF-8
        raise AppInvalid(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise AppInvalid(f"{path} cannot be read: {error}.") from error


def _canonical(path: str, content: bytes) -> bytes:
    """A file's content as it is; of `pyproject.toml`, which Flower writes anew, what it says."""
    if path != PROJECT_FILE:
        return content
    return json.dumps(tomllib.loads(content.decode()), sort_keys=True, default=str).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _one_line(text: str) -> str:
    """Flower's lists of errors, one below the other, as one sentence."""
    return " ".join(text.replace(":\n- ", ": ").replace("\n- ", "; ").split()).rstrip(".") + "."
