"""Thousands of connections to the page that say nothing, or hardly anything: they take it from nobody."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from app.demo.fleet import Fleet
from app.descriptors import raise_descriptor_limit
from app.web.connections import MOST
from tests.conftest import Clients
from tests.support.api import Api
from tests.support.page_strangers import HALF_A_HANDSHAKE, KINDS, crowd
from tests.support.people import OpenPage, administrator, browser, page_server
from tests.support.processes import ServerProcess

SPEC = {"num_rounds": 3, "min_clients": 1, "model": "linear"}


server = page_server("--tls")
"""By HTTPS, where there are more ways to say little."""


def test_who_says_nothing_or_hardly_anything_takes_the_page_from_nobody(
    server: ServerProcess, tmp_path: Path
) -> None:
    raise_descriptor_limit()
    kinds = [*KINDS, HALF_A_HANDSHAKE]
    each = 3 * MOST // 2 // len(kinds)
    with (
        closing(Api(server.url)) as api,
        Fleet() as fleet,
        administrator(server) as admin,
        OpenPage(admin) as page,
    ):
        Clients(fleet, server, tmp_path).start("a")
        with crowd(server, **dict.fromkeys(kinds, each)) as strangers:
            run = api.start(**SPEC)
            for _ in range(20):
                strangers.say_more()
                strangers.add("slow_head", 20)
                with browser(server) as newcomer:
                    assert newcomer.get("/healthz").status_code == 200
                    assert newcomer.get("/api/v1/me").status_code == 401
            api.wait_for_run(run["id"], "completed")
        assert not page.ended, "who is known is not disturbed"
        refused = api.get("/status")["refused"]
    assert refused["page-gave-way"] > MOST // 2, "so many have gone for others"
    assert "page-turned-away" not in refused
    assert "connections to the page than there is room for" in server.output
    assert "Traceback" not in server.output
