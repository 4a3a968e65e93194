"""A dashboard: serves the page of a federation that is another process, which it follows and asks."""
