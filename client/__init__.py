"""The client process: it holds data, trains on it, and answers the server's messages."""

import shared  # noqa: F401 - turns Flower's telemetry off before anything imports Flower
