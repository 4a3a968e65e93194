"""strategyexample: A Flower app with a custom strategy."""
