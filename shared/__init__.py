"""What the server and the clients have in common: data sets, models, training, the wire format.

Importing this package imports nothing else, so that a process pays only for the modules that it uses.
"""

import os

# Flower reads this when it is first imported: no process of FedLoom reports to anybody.
os.environ["FLWR_TELEMETRY_ENABLED"] = "0"

# What goes wrong on the link, FedLoom says in its own words; gRPC would write its own before them.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
