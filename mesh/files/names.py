"""Names of shared files: the same on every file system, and never a way out of the folder."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from pathlib import PurePosixPath

from shared.errors import FedLoomError

OWN_FOLDER = ".fedloom"
"""Inside a shared folder: parts of files that come, and old versions. Never shared."""
IGNORE_FILE = ".fedloomignore"
"""At the top of a shared folder: what this node does not share. Each node has its own."""

MAX_NAME_BYTES = 1024
MAX_COMPONENT_BYTES = 255
MAX_DEPTH = 64

_FOREIGN = frozenset('<>:"|?*\\')
"""What Windows has in no name."""
_DEVICES = frozenset(
    [
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789¹²³"),
    ]
)
_UNSEEN = frozenset(["Cc", "Cs", "Zl", "Zp"])
_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Signs that make a name look like another one, by turning the direction of writing."""
_CONFLICT = re.compile(r"\.sync-conflict-\d{8}-\d{6}-[A-Z2-7]{7}(-\d+)?(\.|$)")
_LAST_SECOND = 253_402_300_799
"""Of the year 9999."""


class NameRefused(FedLoomError):
    """A file has a name that is not safe on every file system. Says why, as the end of a sentence."""


def require_safe(name: str) -> None:
    """Raise NameRefused unless a name, as a path with slashes from the folder on, can be used anywhere."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError as error:
        raise NameRefused("its name is not valid Unicode") from error
    if size > MAX_NAME_BYTES:
        raise NameRefused(f"its path has more than {MAX_NAME_BYTES:,} bytes")
    if not unicodedata.is_normalized("NFC", name):
        raise NameRefused("its name is not in the Unicode form NFC, which other systems need")
    components = name.split("/")
    if len(components) > MAX_DEPTH:
        raise NameRefused(f"it lies more than {MAX_DEPTH} folders deep")
    for component in components:
        _require_safe_component(component)
    if fold(name) == IGNORE_FILE:
        raise NameRefused(f"{IGNORE_FILE} is each node's own")


def _require_safe_component(component: str) -> None:
    if component in ("", ".", ".."):
        raise NameRefused("its path is no plain way from the folder down")
    if len(component.encode()) > MAX_COMPONENT_BYTES:
        raise NameRefused(f"a part of its path has more than {MAX_COMPONENT_BYTES} bytes")
    if component.endswith((" ", ".")):
        raise NameRefused("a part of its path ends with a blank or a dot, which Windows does not keep")
    if foreign := next((sign for sign in component if _is_foreign(sign)), None):
        raise NameRefused(f"its path has the sign {foreign!a}, which is not safe everywhere")
    if component.split(".")[0].rstrip(" ").casefold() in _DEVICES:
        raise NameRefused(f"{component} is the name of a device on Windows")
    if fold(component) == OWN_FOLDER:
        raise NameRefused(f"{OWN_FOLDER} is FedLoom's own folder")


def _is_foreign(sign: str) -> bool:
    return sign in _FOREIGN or sign in _TURNING or unicodedata.category(sign) in _UNSEEN


def fold(name: str) -> str:
    """What a name is on a file system that does not tell large from small letters: two names that are equal
    then cannot be side by side there."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def folders_of(name: str) -> list[str]:
    """The folders that a file lies in, the outermost first."""
    return [str(folder) for folder in reversed(PurePosixPath(name).parents) if folder.name]


def conflict_name(name: str, modified_ns: int, device: str, number: int = 1) -> str:
    """Where a file is kept that has lost a conflict: beside the other, with when and by whom it was changed.

    Every node finds the same name, so that the same file does not become two.
    """
    again = f"-{number}" if number > 1 else ""
    return _marked(name, f".sync-conflict-{stamp(modified_ns)}-{device}{again}")


def kept_name(name: str, now_ns: int, number: int = 1) -> str:
    """What an old version is called among those that are kept: to the microsecond, as they follow quickly."""
    again = f"-{number}" if number > 1 else ""
    return _marked(name, f"~{stamp(now_ns)}-{now_ns // 1000 % 1_000_000:06}{again}")


def stamp(time_ns: int) -> str:
    """A time as names have it: date and time of day, UTC."""
    second = min(max(time_ns // 1_000_000_000, 0), _LAST_SECOND)
    return datetime.fromtimestamp(second, UTC).strftime("%Y%m%d-%H%M%S")


def _marked(name: str, mark: str) -> str:
    """With a mark before the suffix; what is left of the name is cut where it would be too long."""
    path = PurePosixPath(name)
    suffix = path.suffix if len(path.suffix.encode()) <= 32 else ""
    stem = path.name.removesuffix(suffix) if suffix else path.name
    room = MAX_COMPONENT_BYTES - len((mark + suffix).encode())
    stem = unicodedata.normalize("NFC", stem.encode()[:room].decode(errors="ignore"))
    return str(path.with_name(stem + mark + suffix))


def is_conflict_copy(name: str) -> bool:
    """Whether a name is one that `conflict_name` gives."""
    return _CONFLICT.search(name.rpartition("/")[2]) is not None
