"""FedLoom's benchmarks, each beside a peer or the limit. `python -m bench NAME`; see README.md."""
