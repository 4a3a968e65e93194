"""Flower's Grid over the link: messages out, replies in, and how long to wait for whom."""
