"""docs/tour.md shows the page as it is, and names what is on it."""

from __future__ import annotations

import re

import pytest

from tests.pictures.album import FOLDER, Album, opened_page
from tests.pictures.tour import take_tour
from tests.support.documents import text_of
from tests.support.tools import require

pytestmark = pytest.mark.timeout(500)

PICTURE = re.compile(r"!\[[^\]]+\]\(images/([\w-]+\.png)\)")


NAME = re.compile(r"\*\*([^*]+)\*\*")
TOUR = text_of("docs/tour.md")


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The words on the page when each picture was taken."""
    require("chromium", why="the page is tested in a real browser")
    pictures = tmp_path_factory.mktemp("pictures")
    with opened_page() as page:
        album = Album(page, pictures)
        take_tour(album, tmp_path_factory.mktemp("server"))
    assert {path.name for path in pictures.iterdir()} == album.words.keys()
    return album.words


def test_each_picture_of_the_tour_is_there_and_can_be_made_again(shown: dict[str, str]) -> None:
    assert {*PICTURE.findall(TOUR), *re.findall(r"images/(live\.png)", text_of("README.md"))} == shown.keys()
    assert [name for name in shown if not (FOLDER / name).is_file()] == []


def test_what_the_tour_names_stands_on_the_page(shown: dict[str, str]) -> None:
    page = " ".join(shown.values()).casefold()
    names = [" ".join(name.split()) for name in NAME.findall(TOUR)]

    assert names
    assert [name for name in names if name.casefold() not in page] == []


def test_the_pictures_answer_the_questions_of_their_sections(shown: dict[str, str]) -> None:
    assert re.search(r"waiting for client-3 \(\d+ s, usually", shown["tour-held-up.png"])
    assert re.search(r"unusual data, most of all client-\d: [\d.]+ % are", shown["tour-data.png"])
    assert re.search(
        r"difference.* −\d.*settings in which they differ.*learning rate", shown["tour-compare.png"], re.I
    )
    assert "2 of 4 are there" in shown["tour-ready.png"]
