"""The mesh: peers that know each other by their keys, pass messages and content on, and need no server."""

import shared  # noqa: F401 - turns Flower's telemetry off before anything imports Flower
