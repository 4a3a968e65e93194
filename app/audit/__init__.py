"""The audit log: what happened, in a tree that only grows, signed by the server, witnessed by its clients."""
