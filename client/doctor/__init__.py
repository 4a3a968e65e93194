"""`python -m client.doctor`: whether this machine can join a server, and what is wrong, in words.

It takes the flags of `run_client.py` and changes nothing: it makes no key and says no hello, since a hello
joins. What the server sends before that, its challenge, says enough.
"""
