"""FedLoom's web application with the embedded federation server."""

import shared  # noqa: F401 - turns Flower's telemetry off before anything imports Flower
