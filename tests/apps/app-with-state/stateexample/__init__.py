"""stateexample: A Flower app with stateful clients."""
