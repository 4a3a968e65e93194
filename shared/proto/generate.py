"""Regenerates `link_pb2.py` and `link_pb2.pyi` from `link.proto`; needs grpcio-tools."""

from __future__ import annotations

import sys
from pathlib import Path

PROTO = "shared/proto/link.proto"


def generate(root: Path, out: Path) -> int:
    """Compile `root/shared/proto/link.proto` below the folder `out`; returns protoc's exit code."""
    from grpc_tools import protoc

    return int(protoc.main(["protoc", f"-I{root}", f"--python_out={out}", f"--pyi_out={out}", PROTO]))


if __name__ == "__main__":
    repository = Path(__file__).resolve().parents[2]
    sys.exit(generate(repository, repository))
