"""Flower's SuperLink with its SuperNodes: a process of FedLoom's is the run's ServerApp there."""
