"""The pictures of docs/mesh-offline.md: `python -m tests.pictures.mesh`, in the repository's folder.

The demo kills its server and starts it again; meanwhile a client's own page is taken, then the server's.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.pictures.album import FOLDER, LIMIT_MS, LIMIT_S, Album, opened_page
from tests.support.processes import Command

DEMO = (
    "--clients",
    "4",
    "--rounds",
    "8",
    "--dataset",
    "digits",
    "--mesh",
    "--kill-server-at",
    "3",
    "--no-browser",
    "--port",
    "0",
)


def main() -> int:
    """Make both. Needs Chromium and the built page."""
    with tempfile.TemporaryDirectory() as home, opened_page() as page:
        album = Album(page, FOLDER)
        demo = Command("run_demo.py", *DEMO, home=Path(home))
        try:
            url = demo.wait_for_output(r"The live page: (\S+)", LIMIT_S)[1]
            client = demo.wait_for_output(r"This client's page, .*: (http\S+)", LIMIT_S)[1]
            demo.wait_for_output(r"client-1.*mesh round 2: averaged", LIMIT_S)
            page.goto(client)
            _ready(page, 4, "2")
            album.take("mesh-client.png")
            demo.wait_for_output("The page stays at", LIMIT_S)
            page.goto(f"{url}/network")
            page.get_by_test_id("mesh-merge").first.wait_for(timeout=LIMIT_MS)
            _ready(page, 4, "2")
            album.take("mesh-network.png")
        except BaseException:
            sys.stderr.write(demo.output)
            raise
        finally:
            demo.end()
    return 0


def _ready(page: Page, nodes: int, points: str) -> None:
    """All are online, links have their latency, and there are points in the curves."""
    online = page.locator("[data-testid=peer-row]:is([data-state=online], [data-state=rejoined])")
    online.nth(nodes - 1).wait_for(timeout=LIMIT_MS)
    page.get_by_test_id("network-link").filter(has_text=re.compile(r"ms.*/s")).first.wait_for(
        timeout=LIMIT_MS
    )
    page.wait_for_function(
        "([chart, least]) => Number(document.querySelector(chart)?.dataset.points) >= least",
        arg=["[data-testid=mesh-chart-accuracy][aria-busy=false]", points],
        timeout=LIMIT_MS,
    )


if __name__ == "__main__":
    sys.exit(main())
