"""Makes the copy of an app, and brings one that is there back to what the app's digest says.

The bundled files have the content that they had when the app was read, whatever has become of its folder
since. What the app itself wrote stays, but for code: what nobody has compared must not be imported.
"""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import suppress
from itertools import count
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from shared.app_copy.links import Links, links_into
from shared.app_copy.manifest import Manifest, sha256_of
from shared.app_folder import is_code
from shared.errors import AppInvalid
from shared.flower_app import FlowerApp

ASIDE = ".changed"
"""Added to the name of a bundled file that the app has changed, when its own content is restored."""


def place_of(home: Path, app: FlowerApp, who: str) -> Path:
    """Where the copy belongs that a client, or "server", runs; `home`: FedLoom's own folder."""
    name = quote(who, safe="")
    return home / "apps" / quote(app.name, safe="") / (f"%2E{name[1:]}" if name.startswith(".") else name)


def make_copy(app: FlowerApp, place: Path) -> Path:
    """Make the copy of an app, or bring it up to date; returns where it is.

    That is `place`, or beside it where another living process has that one. To be called before each run.
    Raises AppInvalid, in words.
    """
    copy = place.expanduser().resolve()
    if app.folder.is_relative_to(copy):
        raise AppInvalid(f"The Flower app {app.name} cannot be copied to {copy}, which holds its own folder.")
    try:
        copy = _free(copy)
        copy.mkdir(parents=True, exist_ok=True)
        _bring_up_to_date(app, copy)
    except OSError as error:
        raise AppInvalid(_why_not(app, copy, error)) from error
    return copy


def working_directory(app: FlowerApp, copy: Path, cwd: Path) -> Path:
    """Where the app is to run: in `cwd`; where that is in the app's folder, at the same place in the copy."""
    cwd = cwd.resolve()
    if not cwd.is_relative_to(app.folder):
        return cwd
    inside = copy / cwd.relative_to(app.folder)
    try:
        inside.mkdir(parents=True, exist_ok=True)
    except OSError:  # the app has put something else there
        return copy
    return inside


def _free(place: Path) -> Path:
    """The place, or one beside it that no other process has."""
    for number in count(1):
        candidate = place if number == 1 else place.with_name(f"{place.name}-{number}")
        if not _is_taken(Manifest.read(candidate).pid):
            return candidate
    raise AssertionError


def _is_taken(pid: int) -> bool:
    if pid in (0, os.getpid()):
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:  # somebody else's, so it lives
        return True
    except (OSError, OverflowError):
        return False
    return True


def _why_not(app: FlowerApp, copy: Path, error: OSError) -> str:
    what = f"The Flower app {app.name} cannot be copied to {copy}, from where it is to run: {error}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what} Make room on that disk."
    return f"{what} FEDLOOM_HOME can name another folder for FedLoom's own files."


def _bring_up_to_date(app: FlowerApp, copy: Path) -> None:
    from shared.flower import bundled  # only now: it brings Flower

    before = Manifest.read(copy)
    before.and_of(Manifest(pid=os.getpid())).write(copy)  # from now on it is known as a copy
    links = links_into(app, copy)
    contents = {path: text for path, text in bundled(app.fab).items() if not _lies_in_a_link(path, links)}
    wanted = Manifest(
        files={path: sha256_of(content) for path, content in contents.items()},
        links={path: str(target) for path, target in links.items() if target is not None},
        pid=os.getpid(),
    )
    wanted.and_of(before).write(copy)  # so that nothing counts as the app's if this is cut
    _remove_outdated(copy, before, wanted)
    _remove_strange_code(copy, wanted)
    for folder in sorted({(copy / path).parent for path in (*contents, *links)}):
        _make_folder(copy, folder)
    for path, content in contents.items():
        _restore(copy, path, content, before)
    for path, target in links.items():
        _link(copy, path, target)
    wanted.write(copy)


def _lies_in_a_link(path: str, links: Links) -> bool:
    return any(links.get(str(parent)) is not None for parent in PurePosixPath(path).parents)


def _remove_outdated(copy: Path, before: Manifest, wanted: Manifest) -> None:
    """Take away what was put there and is not wanted any more, as far as the app has not changed it."""
    links = [path for path, target in before.links.items() if wanted.links.get(path) != target]
    files = before.files.keys() - wanted.files.keys()
    gone = [path for path in links if before.has_link(copy, path)]
    gone += [path for path in files if before.has_file(copy, path)]
    for path in gone:
        (copy / path).unlink()
    left = {folder for path in gone for folder in (copy / path).parents if folder.is_relative_to(copy)}
    for folder in sorted(left - {copy}, reverse=True):  # those inside first
        with suppress(OSError):  # something else is in it
            folder.rmdir()


def _remove_strange_code(copy: Path, wanted: Manifest) -> None:
    """Remove all code that is not bundled, and what Python has compiled."""
    for folder, names, files in os.walk(copy):
        here = Path(folder)
        if "__pycache__" in names and not (here / "__pycache__").is_symlink():
            shutil.rmtree(here / "__pycache__")
            names.remove("__pycache__")
        for name in files:
            if is_code(name) and (here / name).relative_to(copy).as_posix() not in wanted.files:
                (here / name).unlink()


def _restore(copy: Path, path: str, content: bytes, before: Manifest) -> None:
    file = copy / path
    if file.is_file() and not file.is_symlink() and file.read_bytes() == content:
        return
    if os.path.lexists(file):
        if is_code(path) or before.has_file(copy, path):
            _remove(file)
        else:
            _put_aside(file)
    file.write_bytes(content)


def _link(copy: Path, path: str, target: Path | None) -> None:
    """Make a link, or a folder, unless the app has something of its own there."""
    place = copy / path
    if target is None:
        if not os.path.lexists(place):
            place.mkdir()
        return
    if place.is_dir() and not place.is_symlink():
        with suppress(OSError):  # it was a folder of its own, and may be empty now
            place.rmdir()
    if not os.path.lexists(place):
        place.symlink_to(target)


def _make_folder(copy: Path, folder: Path) -> None:
    """A real folder: through a link that the app has put there, something else would be written."""
    for parent in (*reversed(folder.relative_to(copy).parents), folder.relative_to(copy)):
        place = copy / parent
        if place.is_dir() and not place.is_symlink():
            continue
        if os.path.lexists(place):
            _put_aside(place)
        place.mkdir()


def _put_aside(path: Path) -> None:
    aside = path.with_name(f"{path.name}{ASIDE}")
    if os.path.lexists(aside):
        _remove(aside)
    path.rename(aside)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
