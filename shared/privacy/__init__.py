"""Differential privacy: what releases cost, and the noise that they are made with."""
