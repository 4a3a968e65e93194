"""A deployment behind nginx, which people and clients reach by that alone: two dashboards that it finds by
their name, and the federation's link."""

from __future__ import annotations

from pathlib import Path

from tests.support.dashboards import Dashboard, Deployment
from tests.support.name_server import NameServer
from tests.support.nginx import Nginx
from tests.support.page import Page
from tests.support.ports import free_port

DASHBOARD, FEDERATION = "dashboard.test", "federation.test"
FIRST, SECOND, LATER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
"""Addresses of dashboards, which have their port in common, as containers have."""


class BehindNginx(Deployment):
    """One federation and two dashboards."""

    def __init__(self, home: Path, nginx: Nginx, names: NameServer, *flags: str) -> None:
        """`nginx`: not started yet."""
        super().__init__(home, "--public-url", nginx.url, "--trusted-proxy", "127.0.0.1", *flags)
        self.nginx = nginx
        self.names = names
        self._port = free_port(FIRST)

    def start(self, *own: str) -> None:
        """`own`: further flags of the federation."""
        self.start_federation(*own)
        self.names.addresses |= {DASHBOARD: [], FEDERATION: ["127.0.0.1"]}
        self.add(FIRST)
        self.add(SECOND)
        self.nginx.settings |= {
            "RESOLVER": self.names.address,
            "UPSTREAM_SERVERS": "",
            "UPSTREAM_HOST": DASHBOARD,
            "UPSTREAM_PORT": self._port,
            "FEDERATION_HOST": FEDERATION,
            "LINK_PORT": self.federation.link_port,
        }
        self.nginx.start()

    def add(self, address: str) -> Dashboard:
        """One more dashboard, which the name stands for, too."""
        made = self.start_dashboard(port=self._port, address=address)
        self.names.addresses[DASHBOARD] = [*self.names.addresses[DASHBOARD], address]
        return made

    def forget(self, dashboard: Dashboard) -> None:
        """The name does not stand for it any more."""
        known = self.names.addresses[DASHBOARD]
        self.names.addresses[DASHBOARD] = [each for each in known if each != dashboard.address]

    @property
    def link(self) -> str:
        """Where clients reach the federation."""
        return self.nginx.link

    def page_by_nginx(self) -> Page:
        """A page that somebody with the key has open."""
        return Page(self.nginx.url, headers=self.headers)
