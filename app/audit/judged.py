"""Judged: what the audit log tells of a client's reply and of the verdict on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.records import Judgement
from shared.proto.link_pb2 import Seal
from shared.security.digest import DIGEST_BYTES, Digests

MAX_DETAIL = 300
MAX_SIGNATURE_BYTES = 512


@dataclass(frozen=True)
class Evidence:
    """Of a reply that came in whole: its hashes, that of the arrays that were sent, and its client's seal."""

    digests: Digests
    base: bytes
    seal: Seal | None


def fields_of(judgement: Judgement, evidence: Evidence | None, time_us: int | None) -> dict[str, Any]:
    """The fields of the entry. `evidence`: None: the reply was not looked at. `time_us`: of the receipt."""
    return {
        "run": judgement.run_id,
        "round": judgement.round,
        "client": judgement.client_id,
        "key": judgement.key,
        "message": judgement.message_id,
        "type": judgement.kind,
        "verdict": judgement.verdict,
        "detail": None if judgement.detail is None else judgement.detail[:MAX_DETAIL],
        "bytes": judgement.bytes,
        "digests": None if evidence is None else _hex(evidence.digests),
        "base": None if evidence is None else evidence.base.hex(),
        "signed": None if evidence is None else _signed(evidence.seal),
        "receipt": None if time_us is None else {"time_us": time_us, "signature": judgement.receipt},
    }


def _hex(digests: Digests) -> dict[str, str]:
    return {"skeleton": digests.skeleton.hex(), "arrays": digests.arrays.hex()}


def _signed(seal: Seal | None) -> dict[str, Any] | None:
    """What a client says to have signed, so that anybody can check it; None for what cannot be a seal."""
    if seal is None or len(seal.base) != DIGEST_BYTES or len(seal.signature) > MAX_SIGNATURE_BYTES:
        return None
    return {
        "run": f"{seal.run_id:08x}",
        "round": seal.round,
        "sequence": seal.sequence,
        "base": seal.base.hex(),
        "signature": seal.signature.hex(),
    }
