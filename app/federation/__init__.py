"""Federated learning: the link to the clients, Flower's grid over it, and the runs."""
