"""The demo: a whole federation on one machine, from one command."""
