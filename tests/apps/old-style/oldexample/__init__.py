"""oldexample: A Flower app in the older style."""
