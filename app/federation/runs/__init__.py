"""Runs from the queue to their end: their states, who takes part, what of them is shown, what survives."""
