"""The client process: it holds data, trains on it, and answers the server's messages."""
