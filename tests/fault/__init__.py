"""Kills, cuts and forgeries: real processes, real sockets, and a store that is looked into afterwards."""
