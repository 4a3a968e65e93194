"""The process in which a Flower app runs: what happens on the app's side of it.

Nothing in here imports anything but the standard library and Flower, and all imports within are relative: the
host's process loads this package by its path (`start.py`), under a name that no app has, and knows no other
part of FedLoom. FedLoom itself imports it as `shared.app_host`, for the formats that both sides share.
"""
