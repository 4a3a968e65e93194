"""Regenerates the Python code of all protobuf schemas, beside each; needs grpcio-tools."""

from __future__ import annotations

import sys
from pathlib import Path

SCHEMAS = ("shared/proto/link.proto", "mesh/protocol/mesh.proto")


def generate(root: Path, out: Path) -> int:
    """Compile the schemas below `root` to where they are below the folder `out`; returns protoc's exit
    code."""
    from grpc_tools import protoc

    return int(protoc.main(["protoc", f"-I{root}", f"--python_out={out}", f"--pyi_out={out}", *SCHEMAS]))


if __name__ == "__main__":
    repository = Path(__file__).resolve().parents[2]
    sys.exit(generate(repository, repository))
