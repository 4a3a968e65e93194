from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Frame(_message.Message):
    __slots__ = ("challenge", "hello", "welcome", "refusal", "ping", "pong", "envelope", "pairing")
    CHALLENGE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    PONG_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    PAIRING_FIELD_NUMBER: _ClassVar[int]
    challenge: Challenge
    hello: SignedHello
    welcome: Welcome
    refusal: Refusal
    ping: Ping
    pong: Pong
    envelope: SignedEnvelope
    pairing: bytes
    def __init__(self, challenge: _Optional[_Union[Challenge, _Mapping]] = ..., hello: _Optional[_Union[SignedHello, _Mapping]] = ..., welcome: _Optional[_Union[Welcome, _Mapping]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., pong: _Optional[_Union[Pong, _Mapping]] = ..., envelope: _Optional[_Union[SignedEnvelope, _Mapping]] = ..., pairing: _Optional[bytes] = ...) -> None: ...

class Challenge(_message.Message):
    __slots__ = ("protocol", "nonce")
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    protocol: int
    nonce: bytes
    def __init__(self, protocol: _Optional[int] = ..., nonce: _Optional[bytes] = ...) -> None: ...

class SignedHello(_message.Message):
    __slots__ = ("hello", "public_key", "signature")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    hello: bytes
    public_key: bytes
    signature: bytes
    def __init__(self, hello: _Optional[bytes] = ..., public_key: _Optional[bytes] = ..., signature: _Optional[bytes] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("purpose", "name", "listening", "epoch", "token")
    class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[Hello.Purpose]
        LINK: _ClassVar[Hello.Purpose]
        PAIR: _ClassVar[Hello.Purpose]
    NONE: Hello.Purpose
    LINK: Hello.Purpose
    PAIR: Hello.Purpose
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LISTENING_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    purpose: Hello.Purpose
    name: str
    listening: str
    epoch: int
    token: str
    def __init__(self, purpose: _Optional[_Union[Hello.Purpose, str]] = ..., name: _Optional[str] = ..., listening: _Optional[str] = ..., epoch: _Optional[int] = ..., token: _Optional[str] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("name", "listening", "epoch")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LISTENING_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    name: str
    listening: str
    epoch: int
    def __init__(self, name: _Optional[str] = ..., listening: _Optional[str] = ..., epoch: _Optional[int] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("code", "text")
    class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[Refusal.Code]
        STRANGER: _ClassVar[Refusal.Code]
        BAD_HELLO: _ClassVar[Refusal.Code]
        OLD_EPOCH: _ClassVar[Refusal.Code]
        FULL: _ClassVar[Refusal.Code]
        NO_PAIRING: _ClassVar[Refusal.Code]
        SUPERSEDED: _ClassVar[Refusal.Code]
    NONE: Refusal.Code
    STRANGER: Refusal.Code
    BAD_HELLO: Refusal.Code
    OLD_EPOCH: Refusal.Code
    FULL: Refusal.Code
    NO_PAIRING: Refusal.Code
    SUPERSEDED: Refusal.Code
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: Refusal.Code
    text: str
    def __init__(self, code: _Optional[_Union[Refusal.Code, str]] = ..., text: _Optional[str] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ("stamp",)
    STAMP_FIELD_NUMBER: _ClassVar[int]
    stamp: int
    def __init__(self, stamp: _Optional[int] = ...) -> None: ...

class Pong(_message.Message):
    __slots__ = ("stamp",)
    STAMP_FIELD_NUMBER: _ClassVar[int]
    stamp: int
    def __init__(self, stamp: _Optional[int] = ...) -> None: ...

class SignedEnvelope(_message.Message):
    __slots__ = ("envelope", "signature", "hops_left")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    HOPS_LEFT_FIELD_NUMBER: _ClassVar[int]
    envelope: bytes
    signature: bytes
    hops_left: int
    def __init__(self, envelope: _Optional[bytes] = ..., signature: _Optional[bytes] = ..., hops_left: _Optional[int] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("kind", "sender", "epoch", "sequence", "receiver", "receiver_epoch", "number", "topic", "body")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[Envelope.Kind]
        FLOOD: _ClassVar[Envelope.Kind]
        LINKS: _ClassVar[Envelope.Kind]
        DIRECT: _ClassVar[Envelope.Kind]
        CONFIRMATION: _ClassVar[Envelope.Kind]
        CHUNK_REQUEST: _ClassVar[Envelope.Kind]
        CHUNK: _ClassVar[Envelope.Kind]
    NONE: Envelope.Kind
    FLOOD: Envelope.Kind
    LINKS: Envelope.Kind
    DIRECT: Envelope.Kind
    CONFIRMATION: Envelope.Kind
    CHUNK_REQUEST: Envelope.Kind
    CHUNK: Envelope.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    SENDER_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_FIELD_NUMBER: _ClassVar[int]
    RECEIVER_EPOCH_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    kind: Envelope.Kind
    sender: bytes
    epoch: int
    sequence: int
    receiver: bytes
    receiver_epoch: int
    number: int
    topic: str
    body: bytes
    def __init__(self, kind: _Optional[_Union[Envelope.Kind, str]] = ..., sender: _Optional[bytes] = ..., epoch: _Optional[int] = ..., sequence: _Optional[int] = ..., receiver: _Optional[bytes] = ..., receiver_epoch: _Optional[int] = ..., number: _Optional[int] = ..., topic: _Optional[str] = ..., body: _Optional[bytes] = ...) -> None: ...

class LinkState(_message.Message):
    __slots__ = ("links", "listening")
    LINKS_FIELD_NUMBER: _ClassVar[int]
    LISTENING_FIELD_NUMBER: _ClassVar[int]
    links: _containers.RepeatedCompositeFieldContainer[Link]
    listening: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, links: _Optional[_Iterable[_Union[Link, _Mapping]]] = ..., listening: _Optional[_Iterable[str]] = ...) -> None: ...

class Link(_message.Message):
    __slots__ = ("neighbour", "latency_us")
    NEIGHBOUR_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    neighbour: bytes
    latency_us: int
    def __init__(self, neighbour: _Optional[bytes] = ..., latency_us: _Optional[int] = ...) -> None: ...

class ChunkRequest(_message.Message):
    __slots__ = ("root", "index")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    root: bytes
    index: int
    def __init__(self, root: _Optional[bytes] = ..., index: _Optional[int] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("root", "index", "absent", "proof", "data")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    root: bytes
    index: int
    absent: bool
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    data: bytes
    def __init__(self, root: _Optional[bytes] = ..., index: _Optional[int] = ..., absent: _Optional[bool] = ..., proof: _Optional[_Iterable[bytes]] = ..., data: _Optional[bytes] = ...) -> None: ...
