"""QR codes: an invitation as a picture, and back."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import qrcode
import zxingcpp
from PIL import Image, UnidentifiedImageError
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage

from shared.errors import FedLoomError

MAX_PIXELS = 50_000_000
"""Of a picture that is read. What a telephone takes has 12 to 50 million."""

FORMATS = ("PNG", "JPEG")
"""That are read. Pillow knows more, some of which other programs read for it, as Ghostscript does EPS."""

_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class PictureUnusable(FedLoomError):
    """A picture cannot be read, or does not hold what was looked for."""


def svg(text: str) -> str:
    """A picture for the page: black on white in any theme, with the quiet zone that readers need."""
    drawn = io.BytesIO()
    _code(text).make_image(image_factory=SvgPathImage).save(drawn)
    opening, _, rest = drawn.getvalue().decode().partition("<path")
    return f'{opening}<rect width="100%" height="100%" fill="#fff"/><path{rest}'


def save_png(text: str, path: Path) -> None:
    """A picture in a file. Raises OSError."""
    picture = io.BytesIO()
    _code(text).make_image(image_factory=PilImage).save(picture, format="PNG")
    path.write_bytes(picture.getvalue())


def for_terminal(text: str) -> str:
    """Lines of half blocks, to be read from a dark or a light terminal: the light parts are drawn."""
    drawn = io.StringIO()
    _code(text).print_ascii(out=drawn, invert=True)
    return drawn.getvalue().rstrip("\n")


def read_picture(path: Path) -> str:
    """The text of the one QR code in a picture. Raises PictureUnusable, which says what is wrong."""
    return _read(path, str(path))


def read_data(data: bytes, name: str) -> str:
    """The same for the bytes of a picture; `name`: how messages call it."""
    return _read(io.BytesIO(data), name)


def _read(source: Path | io.BytesIO, name: str) -> str:
    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            picture = Image.open(source, formats=FORMATS)
        with picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise PictureUnusable(
                    f"{name} has {picture.width:,} by {picture.height:,} pixels, which is too large. "
                    "Make it smaller."
                )
            found = zxingcpp.read_barcodes(
                picture.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
            )
    except (UnidentifiedImageError, *_BOMBS, SyntaxError, ValueError) as error:
        raise PictureUnusable(f"{name} is no picture that can be read: use PNG or JPEG.") from error
    except OSError as error:
        raise PictureUnusable(f"{name} cannot be read: {error.strerror or error}.") from error
    texts = sorted({code.text for code in found if code.valid})
    if not texts:
        raise PictureUnusable(
            f"There is no QR code in {name} that can be read. Take all of it, sharp and with a white margin."
        )
    if len(texts) > 1:
        raise PictureUnusable(f"There are {len(texts)} QR codes in {name}. Cut out the one that is meant.")
    return texts[0]


def _code(text: str) -> qrcode.QRCode[PilImage]:
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, image_factory=PilImage)
    code.add_data(text)
    code.make(fit=True)
    return code
