"""The page that a client serves of itself, on its own machine, for whoever has its key."""
