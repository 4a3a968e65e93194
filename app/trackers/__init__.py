"""Trackers: runs as teams follow them elsewhere, written while they go on."""
