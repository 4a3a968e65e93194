"""/api/v1/audit: the audit log, to take away and to look at."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from tempfile import TemporaryFile
from typing import Any

from flask import Response
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, Field

from app.api.aside import aside, web_sleep
from app.api.audited import downloaded
from app.api.export import in_slices
from app.api.problems import Problem, asking_store, problem
from app.api.reply import env, reply
from app.audit.entry import Entry
from app.audit.export import server_key
from app.audit.file import export_lines
from app.audit.verify import NotVerified, Verified, verify
from app.auth.roles import Role, needs
from app.records import AuditStatus
from app.store.audit import AuditReader
from shared.errors import StoreUnavailable
from shared.security.keys import PublicKey

audit_api = APIBlueprint(
    "audit", __name__, url_prefix="/api/v1/audit", abp_tags=[Tag(name="audit", description="The audit log")]
)

LOG_FILE: dict[str, Any] = {
    "description": "The log as `python -m app.audit verify` takes it: lines of JSON",
    "content": {"application/x-ndjson": {"schema": {"type": "string", "format": "binary"}}},
}


class EntriesQuery(BaseModel):
    after: int | None = Field(
        default=None, ge=-1, description="only entries after this number, oldest first; else the newest first"
    )
    before: int | None = Field(default=None, ge=0, description="only entries before this number")
    limit: int = Field(default=50, ge=1, le=200, description="at most so many")


class AuditEntry(BaseModel):
    index: int = Field(description="its number in the log, from 0")
    time: float = Field(description="by the server's clock")
    kind: str
    fields: dict[str, Any]


class Verification(BaseModel):
    """What the whole log was found to be, by the server itself."""

    wrong: str | None = Field(description="the first thing that is not as it was signed; null: all of it is")
    entries: int | None = Field(default=None, description="how many are right; null: see `wrong`")
    checkpoints: int | None = None
    unwitnessed: int | None = Field(
        default=None, description="entries at the end for which the server alone vouches"
    )


class EntryList(BaseModel):
    entries: list[AuditEntry]
    size: int = Field(description="how many there are in all")


@audit_api.get("", summary="The audit log as a file", responses={200: LOG_FILE, 503: Problem})
@needs(Role.VIEWER)
def get_log() -> Response:
    """All that is signed, with the clients' signatures. It needs no server to be verified. The download is an
    entry itself, in the next one."""
    with asking_store():
        key = server_key(env().store.audit)
    if key is None:
        return problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "Nothing is in the audit log yet. Try again in a moment."
        )
    lines = in_slices(export_lines(env().store.audit, key), web_sleep())
    downloaded("audit")
    response = Response(lines, content_type="application/x-ndjson")
    name = f"fedloom-audit-{env().audit.id.hex()[:8]}.jsonl"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@audit_api.get(
    "/checkpoint", summary="The newest checkpoint, and who has witnessed it", responses={200: AuditStatus}
)
@needs(Role.VIEWER)
def get_checkpoint() -> Response:
    return reply(env().audit.status())


@audit_api.get(
    "/verification",
    summary="Whether the log is as it was signed",
    responses={200: Verification, 503: Problem},
)
@needs(Role.OPERATOR)
def verify_log() -> Response:
    """Checks all hashes and signatures, as `python -m app.audit verify` does. Who does not take the server's
    word for it downloads the log, and runs that."""
    try:
        key = server_key(env().store.audit)
        if key is None:
            return problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "Nothing is in the audit log yet. Try again in a moment."
            )
        verified = aside(_verifying(env().store.audit, key))
    except StoreUnavailable as error:
        return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    except NotVerified as error:
        return reply(Verification(wrong=str(error)))
    return reply(
        Verification(
            wrong=None,
            entries=verified.entries,
            checkpoints=verified.checkpoints,
            unwitnessed=verified.unwitnessed,
        )
    )


def _verifying(audit: AuditReader, key: PublicKey) -> Callable[[], Verified]:
    def work() -> Verified:
        with TemporaryFile() as file:
            file.writelines(export_lines(audit, key))
            file.seek(0)
            return verify(file)

    return work


@audit_api.get("/entries", summary="Entries of the audit log", responses={200: EntryList, 503: Problem})
@needs(Role.VIEWER)
def list_entries(query: EntriesQuery) -> Response:
    """Without `after`, the newest come first: ask for those before the last one to go on."""
    audit = env().store.audit
    size = env().audit.kept
    with asking_store():
        if query.after is None:
            found = audit.entries_before(size if query.before is None else query.before, query.limit)
        else:
            found = audit.entries(query.after + 1, query.limit)
    entries = [Entry.parse(data) for data in found]
    return reply(
        EntryList(
            entries=[
                AuditEntry(index=each.index, time=each.time / 1000, kind=each.kind, fields=dict(each.fields))
                for each in entries
            ],
            size=size,
        )
    )
