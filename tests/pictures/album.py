"""How pictures of the docs are taken: one size, the light theme, few bytes."""

from __future__ import annotations

import io
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from tests.support.processes import ROOT
from tests.support.waiting import wait_until

FOLDER = ROOT / "docs" / "images"
SIZE: ViewportSize = {"width": 1280, "height": 720}
PHONE: ViewportSize = {"width": 390, "height": 844}
MAX_BYTES = 150_000
LIMIT_S = 240.0
LIMIT_MS = LIMIT_S * 1000
COLOURS = 256

_SHOWN = """() => [
  document.body.innerText,
  ...[...document.querySelectorAll('[aria-label]')].map(each => each.getAttribute('aria-label')),
].join('\\n')"""


class Album:
    """Pictures of one page in a folder, with the words that stood in each."""

    def __init__(self, page: Page, folder: Path, *, looks: bool = False) -> None:
        """`looks`: each also in the dark theme and on a phone, for whoever looks at the page."""
        self.page = page
        self.words: dict[str, str] = {}
        """By the picture's name; white space is single blanks."""
        self._folder = folder
        self._looks = looks

    def take(self, name: str) -> None:
        """Take the page as it is now. Raises ValueError for a picture of more than MAX_BYTES."""
        self.words[name] = self._shown()
        path = self._folder / name
        with Image.open(io.BytesIO(self.page.screenshot())) as picture:
            _with_few_colours(picture.convert("RGB")).save(path, optimize=True)
        size = path.stat().st_size
        sys.stdout.write(f"{name}: {size:,} bytes\n")
        if size > MAX_BYTES:
            raise ValueError(f"{name} has {size:,} bytes, more than {MAX_BYTES:,}.")
        if self._looks:
            self._look(path)

    def take_showing(self, name: str, words: re.Pattern[str]) -> None:
        """Take the page while it says this, which may pass soon. Raises AssertionError after LIMIT_S."""

        def taken() -> bool:
            if not words.search(self._shown()):
                return False
            self.take(name)
            return all(words.search(said) for said in (self.words[name], self._shown()))

        wait_until(taken, f"the page says {words.pattern!r} while it is taken", LIMIT_S)

    def _shown(self) -> str:
        shown: str = self.page.evaluate(_SHOWN)
        return re.sub(r"\s+", " ", shown)

    def _look(self, path: Path) -> None:
        page = self.page
        page.emulate_media(color_scheme="dark")
        page.screenshot(path=path.with_stem(f"{path.stem}-dark"))
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        page.screenshot(path=path.with_stem(f"{path.stem}-phone"), full_page=True)
        page.set_viewport_size(SIZE)


def _with_few_colours(picture: Image.Image) -> Image.Image:
    """With the commonest colours as they are, those of surfaces and lines; letters have the nearest."""
    counted = Counter(zip(*[iter(picture.tobytes())] * 3, strict=True))
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour, _ in counted.most_common(COLOURS) for part in colour])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


@contextmanager
def opened_page() -> Iterator[Page]:
    """A page of the size of the pictures, in Chromium. Exits in words where there is none."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("The pictures need Chromium: install it, and run this again.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            yield browser.new_page(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
        finally:
            browser.close()
