"""An invitation as QR code: drawn and read back, and what is none is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared import qr
from shared.address import Address
from shared.security.invitation import Invitation
from shared.security.key_id import KeyId

TEXT = str(Invitation(Address("hospital.example.org", 5050), KeyId(bytes(range(32))), "t" * 32))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "invitation.png"
    qr.save_png(TEXT, path)
    return path


def test_what_is_saved_can_be_read(picture: Path) -> None:
    assert qr.read_picture(picture) == TEXT


def test_so_can_its_bytes_and_what_is_none_is_called_by_its_name(picture: Path) -> None:
    data = picture.read_bytes()

    assert qr.read_data(data, "photo.png") == TEXT
    for wrong in (b"", b"no picture", data[: len(data) // 2]):
        with pytest.raises(qr.PictureUnusable, match=r"^photo\.png "):
            qr.read_data(wrong, "photo.png")


@settings(max_examples=20)
@given(token=st.from_regex(r"[A-Za-z0-9_-]{16,128}", fullmatch=True), port=st.integers(1, 65535))
def test_every_invitation_can_be_drawn(
    tmp_path_factory: pytest.TempPathFactory, token: str, port: int
) -> None:
    path = tmp_path_factory.mktemp("qr") / "q.png"
    text = str(Invitation(Address("2001:db8::1", port), KeyId(bytes(32)), token))

    qr.save_png(text, path)

    assert qr.read_picture(path) == text


def test_a_photograph_will_do_turned_and_small_and_in_colour(picture: Path, tmp_path: Path) -> None:
    with Image.open(picture) as drawn:
        photo = drawn.convert("RGB").rotate(12, expand=True, fillcolor=(250, 240, 220)).resize((420, 420))
    photo.save(tmp_path / "photo.jpg", quality=70)

    assert qr.read_picture(tmp_path / "photo.jpg") == TEXT


def test_a_dark_terminal_shows_it_as_a_light_one_does(tmp_path: Path) -> None:
    """A picture of the lines, as a terminal would draw them."""
    lines = qr.for_terminal(TEXT).splitlines()
    drawn = Image.new("L", (len(lines[0]), 2 * len(lines)), 0)
    for row, line in enumerate(lines):
        for column, block in enumerate(line):
            drawn.putpixel((column, 2 * row), 255 if block in "█▀" else 0)
            drawn.putpixel((column, 2 * row + 1), 255 if block in "█▄" else 0)
    path = tmp_path / "terminal.png"
    drawn.resize((drawn.width * 8, drawn.height * 8), Image.Resampling.NEAREST).save(path)

    assert qr.read_picture(path) == TEXT


def test_the_page_gets_a_picture_without_scripts_that_is_readable_in_any_theme() -> None:
    drawn = qr.svg(TEXT)

    assert drawn.startswith("<?xml")
    assert drawn.rstrip().endswith("</svg>")
    assert '<rect width="100%" height="100%" fill="#fff"/>' in drawn
    assert "<script" not in drawn


def test_a_picture_without_a_code_is_said(tmp_path: Path) -> None:
    Image.new("RGB", (300, 300), "white").save(tmp_path / "white.png")

    with pytest.raises(qr.PictureUnusable, match=r"There is no QR code in .*white\.png"):
        qr.read_picture(tmp_path / "white.png")


def test_of_two_codes_nobody_guesses_which_is_meant(picture: Path, tmp_path: Path) -> None:
    qr.save_png("another", tmp_path / "other.png")
    with Image.open(picture) as one, Image.open(tmp_path / "other.png") as two:
        both = Image.new("L", (one.width + two.width, one.height), 255)
        both.paste(one, (0, 0))
        both.paste(two, (one.width, 0))
    both.save(tmp_path / "both.png")

    with pytest.raises(qr.PictureUnusable, match="There are 2 QR codes"):
        qr.read_picture(tmp_path / "both.png")


@pytest.mark.parametrize("content", [b"", b"fedloom://", b"\x89PNG\r\n\x1a\n" + b"x" * 50, b"GIF89a"])
def test_what_is_no_picture_is_said(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)

    with pytest.raises(qr.PictureUnusable, match=r"is no picture|cannot be read"):
        qr.read_picture(tmp_path / "x.png")


@pytest.mark.parametrize("other", ["EPS", "TIFF", "BMP", "GIF", "PPM"])
def test_only_png_and_jpeg_are_read_whatever_the_name(picture: Path, tmp_path: Path, other: str) -> None:
    with Image.open(picture) as drawn:
        drawn.convert("L").save(tmp_path / "photo.png", format=other)

    with pytest.raises(qr.PictureUnusable, match="is no picture that can be read: use PNG or JPEG"):
        qr.read_picture(tmp_path / "photo.png")


@pytest.mark.parametrize("place", ["nowhere.png", "."])
def test_a_file_that_is_not_there_is_said(tmp_path: Path, place: str) -> None:
    with pytest.raises(qr.PictureUnusable, match="cannot be read"):
        qr.read_picture(tmp_path / place)


@pytest.mark.parametrize("sides", [(20_000, 20_000), (10_000, 6_000)])
def test_a_picture_that_would_fill_the_memory_is_not_opened(tmp_path: Path, sides: tuple[int, int]) -> None:
    Image.new("1", sides, 1).save(tmp_path / "huge.png")

    with pytest.raises(qr.PictureUnusable, match=r"too large|is no picture"):
        qr.read_picture(tmp_path / "huge.png")
