"""What happens in a round: the built-in ServerApp with its loop, and how replies are checked and read."""
