"""What a site takes part in, whatever a server asks: its policy, and what is kept to hold it.

Asked in the client, before an app sees a message, for the built-in app and any other alike.
"""
