"""What the server tells those who are away: notices, and the webhook that they are sent to."""
