"""Who somebody is, and what they said: keys, statements that are signed, certificates, and the log's tree.

Nothing here knows a server or a client; both build on it.
"""
