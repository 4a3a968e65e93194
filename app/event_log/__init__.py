"""What a federation tells its dashboards: its events in their order, and what they ask it."""
