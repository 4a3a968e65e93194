"""Clients that the page starts on the server's own machine: processes that end with it."""
