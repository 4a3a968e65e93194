"""Trust: whom a node believes, how two get to know each other, and where that is kept."""
