"""What the server knows, in the shape in which REST, Socket.IO and OpenAPI publish it.

All are immutable values: a change makes a new one. Times are Unix seconds (UTC), durations seconds,
accuracies 0 to 1; None means that there is no value yet.
"""

from app.records.base import Record
from app.records.clients import Client, ClientCounts, ClientGone, ClientProgress, ClientState
from app.records.logs import LOG_LEVELS, LOG_SOURCE, LogEntry, LogLevel, LogRecord
from app.records.membership import InvitationKind, InvitationState, IssuedInvitation, Member, MembershipState
from app.records.privacy import PrivacySpent, Protected
from app.records.rounds import ClientRound, Round, RoundUpdate
from app.records.runs import (
    AppInfo,
    Cause,
    GlobalScore,
    Pending,
    Phase,
    Run,
    RunProgress,
    RunState,
    WaitingFor,
    WaitKind,
)
from app.records.server import AuditStatus, AuditWitness, LinkAddress, Snapshot, Status, StoreStatus
from app.records.verdicts import Judgement, Verdict, VerdictEntry

__all__ = [
    "LOG_LEVELS",
    "LOG_SOURCE",
    "AppInfo",
    "AuditStatus",
    "AuditWitness",
    "Cause",
    "Client",
    "ClientCounts",
    "ClientGone",
    "ClientProgress",
    "ClientRound",
    "ClientState",
    "GlobalScore",
    "InvitationKind",
    "InvitationState",
    "IssuedInvitation",
    "Judgement",
    "LinkAddress",
    "LogEntry",
    "LogLevel",
    "LogRecord",
    "Member",
    "MembershipState",
    "Pending",
    "Phase",
    "PrivacySpent",
    "Protected",
    "Record",
    "Round",
    "RoundUpdate",
    "Run",
    "RunProgress",
    "RunState",
    "Snapshot",
    "Status",
    "StoreStatus",
    "Verdict",
    "VerdictEntry",
    "WaitKind",
    "WaitingFor",
]
