"""Learning without a server: what nodes compute, agree on and refuse. No I/O, no clock, no event loop."""
