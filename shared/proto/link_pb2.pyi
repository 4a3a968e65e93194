from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientFrame(_message.Message):
    __slots__ = ("signed_hello", "reply", "progress", "log", "heartbeat", "failure", "goodbye", "released", "label_counts", "seal", "held", "cosignature", "mesh", "usage", "mesh_now")
    SIGNED_HELLO_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    LOG_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    LABEL_COUNTS_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    COSIGNATURE_FIELD_NUMBER: _ClassVar[int]
    MESH_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    MESH_NOW_FIELD_NUMBER: _ClassVar[int]
    signed_hello: SignedHello
    reply: Chunk
    progress: Progress
    log: LogLine
    heartbeat: Heartbeat
    failure: Failure
    goodbye: Goodbye
    released: Released
    label_counts: LabelCounts
    seal: Seal
    held: Held
    cosignature: Cosignature
    mesh: MeshReport
    usage: Usage
    mesh_now: MeshNow
    def __init__(self, signed_hello: _Optional[_Union[SignedHello, _Mapping]] = ..., reply: _Optional[_Union[Chunk, _Mapping]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., log: _Optional[_Union[LogLine, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., goodbye: _Optional[_Union[Goodbye, _Mapping]] = ..., released: _Optional[_Union[Released, _Mapping]] = ..., label_counts: _Optional[_Union[LabelCounts, _Mapping]] = ..., seal: _Optional[_Union[Seal, _Mapping]] = ..., held: _Optional[_Union[Held, _Mapping]] = ..., cosignature: _Optional[_Union[Cosignature, _Mapping]] = ..., mesh: _Optional[_Union[MeshReport, _Mapping]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., mesh_now: _Optional[_Union[MeshNow, _Mapping]] = ...) -> None: ...

class ServerFrame(_message.Message):
    __slots__ = ("welcome", "refusal", "assignment", "task", "cancel", "received", "pause", "run_over", "challenge", "seal", "next_key", "checkpoint", "roster", "heartbeat")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    RUN_OVER_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_KEY_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    ROSTER_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    refusal: Refusal
    assignment: Assignment
    task: Chunk
    cancel: Cancel
    received: Received
    pause: Pause
    run_over: RunOver
    challenge: Challenge
    seal: Seal
    next_key: NextKey
    checkpoint: LogCheckpoint
    roster: MeshRoster
    heartbeat: Heartbeat
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ..., assignment: _Optional[_Union[Assignment, _Mapping]] = ..., task: _Optional[_Union[Chunk, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., received: _Optional[_Union[Received, _Mapping]] = ..., pause: _Optional[_Union[Pause, _Mapping]] = ..., run_over: _Optional[_Union[RunOver, _Mapping]] = ..., challenge: _Optional[_Union[Challenge, _Mapping]] = ..., seal: _Optional[_Union[Seal, _Mapping]] = ..., next_key: _Optional[_Union[NextKey, _Mapping]] = ..., checkpoint: _Optional[_Union[LogCheckpoint, _Mapping]] = ..., roster: _Optional[_Union[MeshRoster, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ...) -> None: ...

class Challenge(_message.Message):
    __slots__ = ("protocol", "nonce", "time")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    nonce: bytes
    time: int
    def __init__(self, protocol: _Optional[int] = ..., nonce: _Optional[bytes] = ..., time: _Optional[int] = ...) -> None: ...

class NextKey(_message.Message):
    __slots__ = ("public_key", "signature")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    signature: bytes
    def __init__(self, public_key: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class SignedHello(_message.Message):
    __slots__ = ("hello", "public_key", "signature", "token")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    hello: bytes
    public_key: bytes
    signature: bytes
    token: str
    def __init__(self, hello: _Optional[bytes] = ..., public_key: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., token: _Optional[str] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("protocol", "client_id", "process", "version", "dataset", "models", "host", "device", "app", "holding", "mesh", "withholds_usage")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    APP_FIELD_NUMBER: _ClassVar[int]
    HOLDING_FIELD_NUMBER: _ClassVar[int]
    MESH_FIELD_NUMBER: _ClassVar[int]
    WITHHOLDS_USAGE_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    client_id: str
    process: str
    version: str
    dataset: str
    models: _containers.RepeatedScalarFieldContainer[str]
    host: str
    device: str
    app: AppIdentity
    holding: _containers.RepeatedScalarFieldContainer[str]
    mesh: MeshReport
    withholds_usage: bool
    def __init__(self, protocol: _Optional[int] = ..., client_id: _Optional[str] = ..., process: _Optional[str] = ..., version: _Optional[str] = ..., dataset: _Optional[str] = ..., models: _Optional[_Iterable[str]] = ..., host: _Optional[str] = ..., device: _Optional[str] = ..., app: _Optional[_Union[AppIdentity, _Mapping]] = ..., holding: _Optional[_Iterable[str]] = ..., mesh: _Optional[_Union[MeshReport, _Mapping]] = ..., withholds_usage: _Optional[bool] = ...) -> None: ...

class MeshReport(_message.Message):
    __slots__ = ("addresses", "progress", "peers", "rounds", "blocked")
    ADDRESSES_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    addresses: _containers.RepeatedScalarFieldContainer[str]
    progress: MeshProgress
    peers: _containers.RepeatedCompositeFieldContainer[MeshPeer]
    rounds: _containers.RepeatedCompositeFieldContainer[MeshRound]
    blocked: _containers.RepeatedCompositeFieldContainer[MeshBlocked]
    def __init__(self, addresses: _Optional[_Iterable[str]] = ..., progress: _Optional[_Union[MeshProgress, _Mapping]] = ..., peers: _Optional[_Iterable[_Union[MeshPeer, _Mapping]]] = ..., rounds: _Optional[_Iterable[_Union[MeshRound, _Mapping]]] = ..., blocked: _Optional[_Iterable[_Union[MeshBlocked, _Mapping]]] = ...) -> None: ...

class MeshProgress(_message.Message):
    __slots__ = ("run_id", "contribution", "generation", "base_round", "rounds")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    BASE_ROUND_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    run_id: int
    contribution: int
    generation: int
    base_round: int
    rounds: int
    def __init__(self, run_id: _Optional[int] = ..., contribution: _Optional[int] = ..., generation: _Optional[int] = ..., base_round: _Optional[int] = ..., rounds: _Optional[int] = ...) -> None: ...

class MeshPeer(_message.Message):
    __slots__ = ("key", "state", "hops", "latency_s")
    KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_S_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    state: str
    hops: int
    latency_s: float
    def __init__(self, key: _Optional[bytes] = ..., state: _Optional[str] = ..., hops: _Optional[int] = ..., latency_s: _Optional[float] = ...) -> None: ...

class MeshRound(_message.Message):
    __slots__ = ("run_id", "base_round", "number", "time", "loss", "accuracy", "divergence", "averaged_with")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_ROUND_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    ACCURACY_FIELD_NUMBER: _ClassVar[int]
    DIVERGENCE_FIELD_NUMBER: _ClassVar[int]
    AVERAGED_WITH_FIELD_NUMBER: _ClassVar[int]
    run_id: int
    base_round: int
    number: int
    time: float
    loss: float
    accuracy: float
    divergence: float
    averaged_with: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, run_id: _Optional[int] = ..., base_round: _Optional[int] = ..., number: _Optional[int] = ..., time: _Optional[float] = ..., loss: _Optional[float] = ..., accuracy: _Optional[float] = ..., divergence: _Optional[float] = ..., averaged_with: _Optional[_Iterable[bytes]] = ...) -> None: ...

class MeshBlocked(_message.Message):
    __slots__ = ("key", "name")
    KEY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    name: str
    def __init__(self, key: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class MeshNow(_message.Message):
    __slots__ = ("ways", "folders", "refused")
    WAYS_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ways: _containers.RepeatedCompositeFieldContainer[MeshWay]
    folders: _containers.RepeatedCompositeFieldContainer[MeshFolder]
    refused: _containers.RepeatedCompositeFieldContainer[MeshRefusal]
    def __init__(self, ways: _Optional[_Iterable[_Union[MeshWay, _Mapping]]] = ..., folders: _Optional[_Iterable[_Union[MeshFolder, _Mapping]]] = ..., refused: _Optional[_Iterable[_Union[MeshRefusal, _Mapping]]] = ...) -> None: ...

class MeshRefusal(_message.Message):
    __slots__ = ("key", "reason", "count")
    KEY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    reason: str
    count: int
    def __init__(self, key: _Optional[bytes] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class MeshWay(_message.Message):
    __slots__ = ("key", "latency_s", "sent_per_s", "received_per_s")
    KEY_FIELD_NUMBER: _ClassVar[int]
    LATENCY_S_FIELD_NUMBER: _ClassVar[int]
    SENT_PER_S_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_PER_S_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    latency_s: float
    sent_per_s: float
    received_per_s: float
    def __init__(self, key: _Optional[bytes] = ..., latency_s: _Optional[float] = ..., sent_per_s: _Optional[float] = ..., received_per_s: _Optional[float] = ...) -> None: ...

class MeshFolder(_message.Message):
    __slots__ = ("id", "receive_only", "files", "in_sync", "bytes", "conflicts", "coming", "chunks", "of_chunks", "refused", "peers", "alike", "failed")
    ID_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_ONLY_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    IN_SYNC_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CONFLICTS_FIELD_NUMBER: _ClassVar[int]
    COMING_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    OF_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    PEERS_FIELD_NUMBER: _ClassVar[int]
    ALIKE_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    id: str
    receive_only: bool
    files: int
    in_sync: int
    bytes: int
    conflicts: int
    coming: int
    chunks: int
    of_chunks: int
    refused: int
    peers: int
    alike: int
    failed: bool
    def __init__(self, id: _Optional[str] = ..., receive_only: _Optional[bool] = ..., files: _Optional[int] = ..., in_sync: _Optional[int] = ..., bytes: _Optional[int] = ..., conflicts: _Optional[int] = ..., coming: _Optional[int] = ..., chunks: _Optional[int] = ..., of_chunks: _Optional[int] = ..., refused: _Optional[int] = ..., peers: _Optional[int] = ..., alike: _Optional[int] = ..., failed: _Optional[bool] = ...) -> None: ...

class MeshRoster(_message.Message):
    __slots__ = ("signed",)
    SIGNED_FIELD_NUMBER: _ClassVar[int]
    signed: bytes
    def __init__(self, signed: _Optional[bytes] = ...) -> None: ...

class AppIdentity(_message.Message):
    __slots__ = ("name", "version", "digest")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    digest: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("version", "app", "awaited", "paused", "run_id", "sequence", "ephemeral", "takes_usage")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    APP_FIELD_NUMBER: _ClassVar[int]
    AWAITED_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EPHEMERAL_FIELD_NUMBER: _ClassVar[int]
    TAKES_USAGE_FIELD_NUMBER: _ClassVar[int]
    version: str
    app: AppIdentity
    awaited: _containers.RepeatedScalarFieldContainer[str]
    paused: bool
    run_id: int
    sequence: int
    ephemeral: bool
    takes_usage: bool
    def __init__(self, version: _Optional[str] = ..., app: _Optional[_Union[AppIdentity, _Mapping]] = ..., awaited: _Optional[_Iterable[str]] = ..., paused: _Optional[bool] = ..., run_id: _Optional[int] = ..., sequence: _Optional[int] = ..., ephemeral: _Optional[bool] = ..., takes_usage: _Optional[bool] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("reason", "final")
    REASON_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    reason: str
    final: bool
    def __init__(self, reason: _Optional[str] = ..., final: _Optional[bool] = ...) -> None: ...

class Assignment(_message.Message):
    __slots__ = ("run_id", "run", "node_config", "run_config", "clients_on_host", "clients")
    class NodeConfigEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    class RunConfigEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    NODE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    RUN_CONFIG_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_ON_HOST_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    run_id: int
    run: str
    node_config: _containers.MessageMap[str, Value]
    run_config: _containers.MessageMap[str, Value]
    clients_on_host: int
    clients: int
    def __init__(self, run_id: _Optional[int] = ..., run: _Optional[str] = ..., node_config: _Optional[_Mapping[str, Value]] = ..., run_config: _Optional[_Mapping[str, Value]] = ..., clients_on_host: _Optional[int] = ..., clients: _Optional[int] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("flag", "integer", "number", "text")
    FLAG_FIELD_NUMBER: _ClassVar[int]
    INTEGER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    flag: bool
    integer: int
    number: float
    text: str
    def __init__(self, flag: _Optional[bool] = ..., integer: _Optional[int] = ..., number: _Optional[float] = ..., text: _Optional[str] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("message_id", "total_bytes", "index", "data", "array_bytes", "cohort")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ARRAY_BYTES_FIELD_NUMBER: _ClassVar[int]
    COHORT_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    total_bytes: int
    index: int
    data: bytes
    array_bytes: _containers.RepeatedScalarFieldContainer[int]
    cohort: int
    def __init__(self, message_id: _Optional[str] = ..., total_bytes: _Optional[int] = ..., index: _Optional[int] = ..., data: _Optional[bytes] = ..., array_bytes: _Optional[_Iterable[int]] = ..., cohort: _Optional[int] = ...) -> None: ...

class Seal(_message.Message):
    __slots__ = ("run_id", "round", "signature", "key", "sequence", "base")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ROUND_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    run_id: int
    round: int
    signature: bytes
    key: bytes
    sequence: int
    base: bytes
    def __init__(self, run_id: _Optional[int] = ..., round: _Optional[int] = ..., signature: _Optional[bytes] = ..., key: _Optional[bytes] = ..., sequence: _Optional[int] = ..., base: _Optional[bytes] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("message_id", "reason")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    reason: str
    def __init__(self, message_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Received(_message.Message):
    __slots__ = ("message_id", "receipt", "verdict", "detail")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    receipt: Receipt
    verdict: str
    detail: str
    def __init__(self, message_id: _Optional[str] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ..., verdict: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("time_us", "signature")
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    time_us: int
    signature: bytes
    def __init__(self, time_us: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Pause(_message.Message):
    __slots__ = ("paused",)
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    paused: bool
    def __init__(self, paused: _Optional[bool] = ...) -> None: ...

class RunOver(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Released(_message.Message):
    __slots__ = ("message_id",)
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    def __init__(self, message_id: _Optional[str] = ...) -> None: ...

class LabelCounts(_message.Message):
    __slots__ = ("run_id", "counts")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    run_id: int
    counts: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, run_id: _Optional[int] = ..., counts: _Optional[_Iterable[int]] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("message_id", "reason", "rule")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    reason: str
    rule: str
    def __init__(self, message_id: _Optional[str] = ..., reason: _Optional[str] = ..., rule: _Optional[str] = ...) -> None: ...

class Held(_message.Message):
    __slots__ = ("message_id", "reason")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    reason: str
    def __init__(self, message_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("message_id", "done", "total", "examples_per_s", "loss")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_PER_S_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    done: int
    total: int
    examples_per_s: float
    loss: float
    def __init__(self, message_id: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., examples_per_s: _Optional[float] = ..., loss: _Optional[float] = ...) -> None: ...

class LogLine(_message.Message):
    __slots__ = ("level", "logger", "message", "traceback")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    LOGGER_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    level: str
    logger: str
    message: str
    traceback: str
    def __init__(self, level: _Optional[str] = ..., logger: _Optional[str] = ..., message: _Optional[str] = ..., traceback: _Optional[str] = ...) -> None: ...

class LogCheckpoint(_message.Message):
    __slots__ = ("log", "size", "root", "time", "signature", "since", "proof")
    LOG_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    log: bytes
    size: int
    root: bytes
    time: int
    signature: bytes
    since: int
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, log: _Optional[bytes] = ..., size: _Optional[int] = ..., root: _Optional[bytes] = ..., time: _Optional[int] = ..., signature: _Optional[bytes] = ..., since: _Optional[int] = ..., proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Cosignature(_message.Message):
    __slots__ = ("log", "size", "signature")
    LOG_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    log: bytes
    size: int
    signature: bytes
    def __init__(self, log: _Optional[bytes] = ..., size: _Optional[int] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("cpu", "cores", "process_cores", "memory_used", "memory_total", "process_memory", "disk_used", "disk_total", "disk_read", "disk_written", "sent", "received", "gpus")
    CPU_FIELD_NUMBER: _ClassVar[int]
    CORES_FIELD_NUMBER: _ClassVar[int]
    PROCESS_CORES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_USED_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_FIELD_NUMBER: _ClassVar[int]
    PROCESS_MEMORY_FIELD_NUMBER: _ClassVar[int]
    DISK_USED_FIELD_NUMBER: _ClassVar[int]
    DISK_TOTAL_FIELD_NUMBER: _ClassVar[int]
    DISK_READ_FIELD_NUMBER: _ClassVar[int]
    DISK_WRITTEN_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_FIELD_NUMBER: _ClassVar[int]
    GPUS_FIELD_NUMBER: _ClassVar[int]
    cpu: float
    cores: int
    process_cores: float
    memory_used: int
    memory_total: int
    process_memory: int
    disk_used: int
    disk_total: int
    disk_read: float
    disk_written: float
    sent: float
    received: float
    gpus: _containers.RepeatedCompositeFieldContainer[GpuUsage]
    def __init__(self, cpu: _Optional[float] = ..., cores: _Optional[int] = ..., process_cores: _Optional[float] = ..., memory_used: _Optional[int] = ..., memory_total: _Optional[int] = ..., process_memory: _Optional[int] = ..., disk_used: _Optional[int] = ..., disk_total: _Optional[int] = ..., disk_read: _Optional[float] = ..., disk_written: _Optional[float] = ..., sent: _Optional[float] = ..., received: _Optional[float] = ..., gpus: _Optional[_Iterable[_Union[GpuUsage, _Mapping]]] = ...) -> None: ...

class GpuUsage(_message.Message):
    __slots__ = ("busy", "memory_used", "memory_total")
    BUSY_FIELD_NUMBER: _ClassVar[int]
    MEMORY_USED_FIELD_NUMBER: _ClassVar[int]
    MEMORY_TOTAL_FIELD_NUMBER: _ClassVar[int]
    busy: float
    memory_used: int
    memory_total: int
    def __init__(self, busy: _Optional[float] = ..., memory_used: _Optional[int] = ..., memory_total: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("stamp", "latency_s")
    STAMP_FIELD_NUMBER: _ClassVar[int]
    LATENCY_S_FIELD_NUMBER: _ClassVar[int]
    stamp: int
    latency_s: float
    def __init__(self, stamp: _Optional[int] = ..., latency_s: _Optional[float] = ...) -> None: ...

class Goodbye(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
