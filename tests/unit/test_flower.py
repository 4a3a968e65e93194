"""Flower's private names that shared/flower.py relies on are where they were, and do what they did."""

from __future__ import annotations

import ast
import importlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from flwr.app import Array, ArrayRecord, ConfigRecord, Message, MetricRecord, RecordDict
from flwr.cli.build import build_fab_from_disk
from flwr.common.serde import recorddict_to_proto
from flwr.proto.message_pb2 import Message as MessageProto
from flwr.proto.recorddict_pb2 import ArrayRecord as ArrayRecordProto
from flwr.proto.recorddict_pb2 import MetricRecord as MetricRecordProto
from flwr.proto.recorddict_pb2 import RecordDict as RecordDictProto
from hypothesis import given
from hypothesis import strategies as st

import shared.app_host.codec
import shared.flower
from shared.app_folder import files_ending_with
from shared.app_host.serialised import Serialised
from shared.errors import WireError
from shared.flower import (
    BUNDLED_ENDINGS,
    SERVER_NODE_ID,
    bundle,
    bundled,
    client_failed,
    client_unavailable,
    decode,
    decode_unopened,
    empty_run,
    encode,
    encode_content,
    encode_envelope,
    flatten_dict,
    identify_server_task,
    is_unavailable,
    message_expired,
    node_id_of,
    set_message_id,
)
from shared.payload import Payload
from tests.support.apps import CLIENT_APP, write_app
from tests.support.payloads import payload_of

PUBLIC = {"flwr.app", "flwr.clientapp", "flwr.serverapp", "flwr.serverapp.strategy"}
ROOT = Path(__file__).resolve().parents[2]


def imported_from_flower(source: Path) -> list[tuple[str, str]]:
    """(module, name) of everything that a file imports from Flower."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    return [
        (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "flwr"
        for alias in node.names
        if node.module is not None
    ]


PLACES = [
    ROOT / "shared" / "flower.py",
    ROOT / "shared" / "flower_control.py",
    ROOT / "shared" / "flower_simulation.py",
    ROOT / "shared" / "flower_superlink.py",
    *sorted((ROOT / "shared" / "app_host").glob("*.py")),
]
USED = sorted({used for path in PLACES for used in imported_from_flower(path)})


@pytest.fixture(autouse=True)
def _server_task() -> None:
    identify_server_task(7)


def instruction() -> Message:
    content = RecordDict(
        {
            "arrays": ArrayRecord({"w": Array(np.arange(6, dtype=np.float32).reshape(2, 3))}),
            "config": ConfigRecord({"server-round": 3, "name": "x"}),
            "metrics": MetricRecord({"loss": 0.5}),
        }
    )
    message = Message(content, node_id_of("client-1"), "train", group_id="3")
    set_message_id(message, "id-1")
    return message


def there_and_back(message: Message) -> Message:
    return decode(payload_of(message))


@pytest.mark.parametrize(("module", "name"), USED)
def test_flower_still_has(module: str, name: str) -> None:
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        pytest.fail(
            f"This version of Flower has no {name} in {module}. Find where it went and change "
            "shared/flower.py, another of shared/flower_*.py or shared/app_host, which alone use it, or stay "
            "with pyproject.toml's version."
        )
    assert found is not None


def test_only_these_files_and_the_app_host_touch_private_names() -> None:
    sources = [path for folder in ("app", "client", "shared") for path in (ROOT / folder).rglob("*.py")]
    private = {
        path
        for path in sources
        if "node_modules" not in path.parts
        for module, _ in imported_from_flower(path)
        if module not in PUBLIC
    }

    assert private <= set(PLACES)


def test_a_message_survives_the_way() -> None:
    sent = instruction()

    got = there_and_back(sent)

    assert got.metadata == sent.metadata
    assert got.content["config"] == sent.content["config"]
    assert got.content["metrics"] == sent.content["metrics"]
    array = got.content.array_records["arrays"]["w"].numpy()
    np.testing.assert_array_equal(array, np.arange(6, dtype=np.float32).reshape(2, 3))


def test_metadata_and_content_serialised_apart_are_one_message() -> None:
    sent = instruction()

    content = encode_content(sent.content)
    got = decode(payload_of(Serialised(encode_envelope(sent) + content.skeleton, content.arrays)))

    assert encode(got) == encode(there_and_back(sent))
    assert got.metadata.message_id == "id-1"
    assert got.metadata.dst_node_id == node_id_of("client-1")


@st.composite
def contents(draw: st.DrawFn) -> RecordDict:
    """Contents with all that Flower's records can hold."""
    keys = st.text(min_size=1, max_size=5)
    number = st.floats(allow_nan=False) | st.integers(-(2**63), 2**63 - 1)
    array = st.builds(
        lambda dtype, shape: Array(np.ones(shape, dtype)),
        st.sampled_from(["float32", "float64", "int64", "uint8", "bool"]),
        st.lists(st.integers(0, 3), max_size=3).map(tuple),
    )
    scalar = number | st.booleans() | st.text(max_size=5) | st.binary(max_size=5)
    same_kind = st.lists(st.integers(-(2**63), 2**63 - 1)) | st.lists(st.floats(allow_nan=False))
    record = (
        st.dictionaries(keys, array, max_size=3).map(lambda arrays: ArrayRecord(OrderedDict(arrays)))
        | st.dictionaries(keys, number | same_kind, max_size=3).map(MetricRecord)
        | st.dictionaries(keys, scalar | same_kind, max_size=3).map(
            lambda entries: ConfigRecord(dict(entries))
        )
    )
    return RecordDict(draw(st.dictionaries(keys, record, max_size=4)))


@given(contents())
def test_a_skeleton_is_flowers_protobuf_with_numbers_in_place_of_the_data(content: RecordDict) -> None:
    serialised = encode_content(content)

    restored = MessageProto.FromString(serialised.skeleton)
    data = iter(enumerate(serialised.arrays))
    for item in restored.content.items:
        for entry in item.array_record.items:
            number, array = next(data)
            assert entry.value.data == number.to_bytes(4, "little")
            entry.value.data = array

    assert next(data, None) is None
    assert restored == MessageProto(content=recorddict_to_proto(content))


@given(contents())
def test_any_content_survives_the_way(content: RecordDict) -> None:
    message = Message(content, node_id_of("client-1"), "train")

    assert there_and_back(message).content == content


def test_a_reply_names_the_message_that_it_answers() -> None:
    reply = there_and_back(Message(RecordDict(), reply_to=instruction()))

    assert reply.metadata.reply_to_message_id == "id-1"
    assert reply.metadata.src_node_id == node_id_of("client-1")
    assert reply.metadata.run_id == 7


def test_an_error_reply_keeps_its_reason() -> None:
    failed = there_and_back(client_failed(instruction(), "it broke"))

    assert failed.has_error()
    assert failed.error.reason == "it broke"
    assert not is_unavailable(failed)


def test_a_reason_that_is_no_utf_8_is_sent_as_far_as_it_can_be() -> None:
    for made in (client_failed, client_unavailable):
        assert (
            there_and_back(made(instruction(), "B\udce4r is missing")).error.reason == "B\ufffdr is missing"
        )


def many_records(number: int) -> RecordDictProto:
    item = RecordDictProto.Item()
    item.metric_record.SetInParent()
    return RecordDictProto(items=[item] * number)


def many_metrics(number: int) -> RecordDictProto:
    record = MetricRecordProto(items=[MetricRecordProto.Item(key="k")] * number)
    return RecordDictProto(items=[RecordDictProto.Item(key="m", metric_record=record)])


def many_arrays(number: int) -> RecordDictProto:
    record = ArrayRecordProto(items=[ArrayRecordProto.Item(key="k")] * number)
    return RecordDictProto(items=[RecordDictProto.Item(key="m", array_record=record)])


@pytest.mark.parametrize("many", [many_records, many_metrics, many_arrays])
def test_a_message_of_more_small_things_than_can_be_read_in_time_is_refused_unread(
    many: Callable[[int], RecordDictProto], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        shared.app_host.codec, "message_from_proto", lambda _: pytest.fail("it was read, which takes minutes")
    )
    flood = encode_envelope(instruction()) + MessageProto(content=many(600_000)).SerializeToString()

    with pytest.raises(WireError, match=r"more than the 500,000 that are taken"):
        decode(payload_of(Serialised(flood)))


def test_a_lost_client_can_be_told_from_one_that_failed() -> None:
    assert is_unavailable(client_unavailable(instruction(), "it went away"))
    assert not is_unavailable(Message(RecordDict(), reply_to=instruction()))


def test_a_message_whose_time_is_over_is_no_lost_client() -> None:
    expired = there_and_back(message_expired(instruction()))

    assert expired.has_error()
    assert not is_unavailable(expired)
    assert expired.metadata.src_node_id == node_id_of("client-1")


@given(st.binary(min_size=1, max_size=300))
def test_bytes_that_are_no_message_are_refused(garbage: bytes) -> None:
    try:
        message = decode(payload_of(garbage))
    except WireError:
        return
    assert isinstance(message, Message)


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 20, b"hello", encode_content(RecordDict()).skeleton])
def test_an_incomplete_message_is_refused(garbage: bytes) -> None:
    with pytest.raises(WireError, match="not a Flower message"):
        decode(payload_of(garbage))


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_damaged_message_is_refused_or_still_a_message(position: int, value: int) -> None:
    sent = encode(instruction())
    damaged = bytearray(sent.skeleton)
    damaged[position % len(damaged)] = value
    try:
        message = decode(payload_of(Serialised(bytes(damaged), sent.arrays)))
    except WireError:
        return
    assert isinstance(message, Message)


class TestArrays:
    """Each array's place in the skeleton belongs to the data that come for it, or the message is refused."""

    def skeleton(self, *in_place: bytes) -> bytes:
        """A message with two arrays, and these bytes where their numbers should be."""
        sent = Message(
            RecordDict({"arrays": ArrayRecord({n: Array(np.ones(2)) for n in ("a", "b")})}), 2, "train"
        )
        proto = MessageProto.FromString(encode(sent).skeleton)
        for item, data in zip(proto.content.items[0].array_record.items, in_place, strict=True):
            item.value.data = data
        return proto.SerializeToString()

    def test_that_is_in_order_is_taken(self) -> None:
        whole = Serialised(self.skeleton(bytes([0, 0, 0, 0]), bytes([1, 0, 0, 0])), (b"x", b"y"))

        record = decode(payload_of(whole)).content.array_records["arrays"]

        assert [array.data for array in record.values()] == [b"x", b"y"]

    @pytest.mark.parametrize(
        "in_place",
        [
            (bytes([0, 0, 0, 0]), bytes([0, 0, 0, 0])),
            (bytes([1, 0, 0, 0]), bytes([0, 0, 0, 0])),
            (bytes([0, 0, 0, 0]), bytes([2, 0, 0, 0])),
            (bytes([0, 0, 0, 0]), bytes([255, 255, 255, 255])),
            (bytes([0, 0, 0, 0]), b"the data of an array, as Flower has them"),
            (bytes([0, 0, 0, 0]), b""),
            (b"0", b"1"),
        ],
        ids=["twice", "in another order", "out of range", "huge", "data in place", "nothing", "as text"],
    )
    def test_with_a_wrong_number_is_refused(self, in_place: tuple[bytes, bytes]) -> None:
        with pytest.raises(WireError, match="in place of that number"):
            decode(payload_of(Serialised(self.skeleton(*in_place), (b"x", b"y"))))

    @pytest.mark.parametrize("arrays", [(), (b"x",), (b"x", b"y", b"z")])
    def test_more_or_fewer_than_there_are_data_for_are_refused(self, arrays: tuple[bytes, ...]) -> None:
        skeleton = self.skeleton(bytes([0, 0, 0, 0]), bytes([1, 0, 0, 0]))

        with pytest.raises(WireError, match=f"the data of {len(arrays)} arrays for a message with 2"):
            decode(payload_of(Serialised(skeleton, arrays)))

    def test_of_one_name_are_refused(self) -> None:
        """Protobuf has them as entries of a list, Flower as those of a dict."""
        proto = MessageProto.FromString(self.skeleton(bytes([0, 0, 0, 0]), bytes([1, 0, 0, 0])))
        for entry in proto.content.items[0].array_record.items:
            entry.key = "the same"

        with pytest.raises(WireError, match="two arrays of one name"):
            decode(payload_of(Serialised(proto.SerializeToString(), (b"x", b"y"))))


@given(contents(), st.integers(0, 10_000), st.integers(0, 255), st.integers(-1, 1))
def test_what_is_passed_on_unopened_can_be_read(
    content: RecordDict, position: int, value: int, more: int
) -> None:
    """Whoever lets a message pass by its skeleton, damaged or not, says no more and no less than a reader."""
    sent = encode(Message(content, node_id_of("client-1"), "train"))
    damaged = bytearray(sent.skeleton)
    damaged[position % len(damaged)] = value
    arrays = (*sent.arrays, b"more")[: max(len(sent.arrays) + more, 0)]
    payload = payload_of(Serialised(bytes(damaged), arrays))

    refusals = [_refusal(read, payload) for read in (decode_unopened, decode)]
    assert refusals[0] == refusals[1]
    if refusals[0] is not None:
        return
    (message, places), read = decode_unopened(payload), decode(payload)

    assert vars(message.metadata) == vars(read.metadata)
    assert message.has_content() == read.has_content()
    if not read.has_content():
        return
    assert list(message.content) == list(read.content)
    assert message.content.metric_records == read.content.metric_records
    assert message.content.config_records == read.content.config_records
    assert not any(message.content.array_records.values())
    said = [
        (record, name, array.dtype, array.shape, array.stype)
        for record, arrays_of_it in read.content.array_records.items()
        for name, array in arrays_of_it.items()
    ]
    assert list(map(tuple, places)) == said


def _refusal(read: Callable[[Payload], object], payload: Payload) -> str | None:
    try:
        read(payload)
    except WireError as error:
        return str(error)
    return None


def test_two_records_of_one_name_are_refused() -> None:
    proto = RecordDictProto(items=[*many_metrics(1).items, *many_metrics(1).items])
    flood = encode_envelope(instruction()) + MessageProto(content=proto).SerializeToString()

    with pytest.raises(WireError, match="two records of one name"):
        decode(payload_of(flood))


@given(st.text(min_size=1, max_size=64))
def test_a_client_never_has_the_address_of_the_server(client_id: str) -> None:
    node_id = node_id_of(client_id)

    assert SERVER_NODE_ID < node_id < 2**63
    assert node_id == node_id_of(client_id)


def test_clients_have_different_addresses() -> None:
    assert len({node_id_of(f"client-{n}") for n in range(10_000)}) == 10_000


def test_a_run_has_the_id_that_it_was_given() -> None:
    assert empty_run(42).run_id == 42


def test_a_bundle_has_the_files_that_flower_would_send(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", "pkg")
    (folder / "data.csv").write_text("1,2\n", encoding="utf-8")

    fab = bundle(files_ending_with(folder, BUNDLED_ENDINGS))

    files = bundled(fab)
    assert fab == build_fab_from_disk(folder)
    assert set(files) == {"pyproject.toml", "pkg/__init__.py", "pkg/client_app.py", "pkg/server_app.py"}
    assert files["pkg/client_app.py"] == CLIENT_APP.encode()


def test_without_an_app_there_is_no_bundle() -> None:
    with pytest.raises(ValueError, match=r"pyproject\.toml not found"):
        bundle({})


def test_nested_tables_of_a_run_config_become_flat() -> None:
    assert flatten_dict({"a": 1, "b": {"c": 2.5, "d": {"e": "x"}}}) == {"a": 1, "b.c": 2.5, "b.d.e": "x"}
    with pytest.raises(ValueError, match="a needs to be of type"):
        flatten_dict({"a": [1]})
