"""misbehaving: A Flower app that does what an app should not do."""
