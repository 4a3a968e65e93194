"""Flower's own engines, as carriers of a run's messages in place of FedLoom's link."""
