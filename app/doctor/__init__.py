"""`python -m app.doctor`: whether a server can run here, and what is wrong, in words.

It takes the flags of `run_server.py` and changes nothing.
"""
