"""What the demo has the browser open, so that nobody has to type a key."""

from __future__ import annotations

from pathlib import Path

from app.auth.socket_owner import is_known_here
from shared.security.files import write_whole

FILE = "open-page.html"


def address_to_open(url: str, key: str, home: Path) -> str:
    """The page's own address where the server knows its user by the connection. Else that of a file, for this
    user's eyes only, which leads there with the key: a program's arguments can be read by every user."""
    if is_known_here():
        return url
    file = home.absolute() / FILE
    write_whole(file, f'<meta http-equiv="refresh" content="0; url={url}/?token={key}">\n'.encode())
    return file.as_uri()
