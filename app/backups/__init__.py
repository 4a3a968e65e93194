"""Backups: all that a server keeps, in one encrypted file."""
