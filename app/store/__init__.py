"""What survives a restart: runs, rounds, clients and logs in a database, checkpoints in files."""
