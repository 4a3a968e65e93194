"""What axe finds on a page in the browser: whom it shuts out."""

from __future__ import annotations

from typing import Literal

from playwright.sync_api import Page

from tests.support.processes import ROOT
from tests.support.tools import give_up

AXE = ROOT / "app" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def violations(page: Page) -> list[str]:
    """By rule, with the elements; empty: none."""
    if not AXE.is_file():
        give_up("needs axe-core: run `npm ci` in app/frontend")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [f"{each['id']}: {[node['html'][:200] for node in each['nodes']]}" for each in found]


def violations_in_both_themes(page: Page) -> list[str]:
    """The same, each with the theme that it was found in. The page is left in the light one."""
    found = []
    for scheme in reversed(SCHEMES):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function("() => document.getAnimations().length === 0")
        found += [f"{scheme}: {each}" for each in violations(page)]
    return found
