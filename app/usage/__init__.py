"""What nodes use of their machines, over time: lately in memory, for a day in the store."""
