"""The privacy ledger: what the clients of one home have let out of each data set, over all runs and restarts.

It is the site's own, and no server writes in it. `python -m client.ledger` shows and exports it.
"""
