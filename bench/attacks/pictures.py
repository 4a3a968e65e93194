"""Pictures of digits in a row, as a PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from bench.attacks.victim import Pixels

ENLARGED = 6
"""Each pixel of a digit becomes a square of so many."""

GAP = 6
SIDE = 8


def write_row(pictures: Sequence[Pixels], path: Path) -> None:
    """Write vectors of 64 pixels side by side, each from its darkest to its lightest pixel."""
    edge = SIDE * ENLARGED
    row = Image.new("L", (len(pictures) * (edge + GAP) - GAP, edge), color=255)
    for number, picture in enumerate(pictures):
        row.paste(_image(picture).resize((edge, edge), Image.Resampling.NEAREST), (number * (edge + GAP), 0))
    row.save(path, optimize=True)


def _image(picture: Pixels) -> Image.Image:
    darkest, lightest = picture.min(), picture.max()
    grey = (picture - darkest) / max(lightest - darkest, 1e-12) * 255
    return Image.fromarray(grey.round().astype(np.uint8).reshape(SIDE, SIDE))
