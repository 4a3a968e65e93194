"""What the doctors of servers and clients look at alike."""
