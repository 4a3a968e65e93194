"""Flower's simulation engine (Ray), in a process of its own."""
