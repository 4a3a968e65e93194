"""Large answers of REST are sent compressed to those who take that."""

from __future__ import annotations

import gzip
from functools import partial

from flask import Flask, Response, request

from app.api.aside import aside

LEAST_BYTES = 1_000
ASIDE_BYTES = 200_000
"""From here on compressing takes longer than a web thread has."""

LEVEL = 3
"""Of nine: most of the gain for a tenth of the time."""


def compress_answers(flask_app: Flask) -> None:
    """Only answers to GET: where a secret is made, its answer's length is to tell nothing (BREACH)."""

    @flask_app.after_request
    def _compressed(response: Response) -> Response:
        if not _gains(response):
            return response
        compress = partial(gzip.compress, response.get_data(), LEVEL, mtime=0)
        is_large = (response.content_length or 0) > ASIDE_BYTES
        response.set_data(aside(compress) if is_large else compress())
        response.content_encoding = "gzip"
        response.vary.add("Accept-Encoding")
        return response


def _gains(response: Response) -> bool:
    return (
        request.method == "GET"
        and response.mimetype == "application/json"
        and response.is_sequence  # whole, and not sent piece by piece
        and response.content_encoding is None
        and (response.content_length or 0) > LEAST_BYTES
        and request.accept_encodings.quality("gzip") > 0
    )
