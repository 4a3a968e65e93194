"""analyticsexample: A Flower app for federated analytics."""
