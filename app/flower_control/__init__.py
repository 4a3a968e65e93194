"""What Flower's own `flwr` command can do with a FedLoom server: start, list, follow and stop runs.

Nothing that is sent is ever carried out: a run is of the app that the server was started with, or refused.
"""
