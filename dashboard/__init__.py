"""What server and clients tell of themselves: what their machines are used for, and what their log says."""
