"""Discovery: where members may be. What is heard is a hint; who is there, says the key alone."""
