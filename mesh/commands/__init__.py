"""The commands of `python -m mesh`: each in a file of its own, with what the node answers to it."""
