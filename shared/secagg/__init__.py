"""Secure aggregation: the server learns the sum of the clients' updates, and no single one.

The protocol is SecAgg+ (Bell et al. 2020, https://eprint.iacr.org/2020/704) with the active adversary of
Bonawitz et al. 2017 (https://eprint.iacr.org/2017/281): the server itself may lie. Both ends are state
machines without I/O (`client.py`, `server.py`); who carries their messages is not their business.
"""
