"""The page's files, in the smallest form that a browser takes: the build puts compressed ones beside them."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flask import Response, request, send_from_directory
from flask_openapi3 import OpenAPI
from werkzeug.datastructures import Accept

ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""By what a browser calls them, the best first; `app/frontend/vite.config.ts` makes them."""


def add_assets(flask_app: OpenAPI) -> None:
    """Serve them in place of Flask's own view, which knows only the files as they are."""
    folder = Path(flask_app.root_path) / "static"

    def static(filename: str) -> Response:
        encoding = _best(request.accept_encodings, folder, filename)
        if encoding is None:
            response = send_from_directory(folder, filename)
        else:
            kind = mimetypes.guess_type(filename)[0]
            response = send_from_directory(folder, filename + ENCODINGS[encoding], mimetype=kind)
            response.content_encoding = encoding
        response.vary.add("Accept-Encoding")
        return response

    flask_app.view_functions["static"] = static


def _best(accepted: Accept, folder: Path, filename: str) -> str | None:
    """How a file is sent; None: as it is."""
    if filename.endswith(tuple(ENCODINGS.values())) or ".." in Path(filename).parts:
        return None
    for encoding, ending in ENCODINGS.items():
        if accepted.quality(encoding) > 0 and (folder / (filename + ending)).is_file():
            return encoding
    return None
