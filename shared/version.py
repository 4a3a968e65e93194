"""FedLoom's version, as both ends of the link and the web API report it."""

__version__ = "0.1.0"
