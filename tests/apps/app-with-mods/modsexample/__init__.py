"""modsexample: A Flower app with client mods."""
