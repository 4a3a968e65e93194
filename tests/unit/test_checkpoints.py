"""A checkpoint is there whole or not at all, and comes back byte by byte."""

from __future__ import annotations

import json
import logging
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from flwr.app import Array, ArrayRecord
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from numpy.typing import NDArray
from safetensors.numpy import load_file

from app.records import Round
from app.store.checkpoints import CheckpointInfo, CheckpointStore, best_round
from app.store.tensors import digest_of, plain
from shared.errors import CheckpointInvalid, StoreUnavailable
from shared.models import build_model
from shared.names import DatasetName, ModelName

RUN = "7f3a9c01"
FLOATS = ["float64", "float32", "float16", "complex64"]
WHOLE = ["int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "checkpoints"


@pytest.fixture
def checkpoints(folder: Path) -> CheckpointStore:
    return CheckpointStore(folder)


def a_model(value: float = 1.0) -> ArrayRecord:
    return ArrayRecord({"weight": Array(np.full((3, 2), value, np.float32)), "bias": Array(np.zeros(2))})


def save(
    checkpoints: CheckpointStore,
    *rounds: int,
    state: dict[str, NDArray[Any]] | None = None,
    run_id: str = RUN,
) -> None:
    for number in rounds:
        checkpoints.save(run_id, number, a_model(number), state or {}, {"model": "cnn", "dataset": "digits"})


def rounds_of(checkpoints: CheckpointStore) -> list[int]:
    return [info.round for info in checkpoints.list(RUN)]


class TestWhatIsKept:
    def test_a_models_state_dict_comes_back_in_its_own_order(self, checkpoints: CheckpointStore) -> None:
        model = build_model(ModelName.CNN, DatasetName.DIGITS, seed=1)
        model.register_buffer("batches_tracked", torch.tensor(7))
        sent = ArrayRecord(model.state_dict())

        checkpoints.save(RUN, 5, sent, {}, {})
        got = checkpoints.load(RUN, 5).arrays

        assert list(got) == list(sent)
        assert [array.data for array in got.values()] == [array.data for array in sent.values()]
        model.load_state_dict(got.to_torch_state_dict())

    def test_the_file_holds_the_model_and_nothing_else(self, checkpoints: CheckpointStore) -> None:
        save(checkpoints, 5, state={"moment": np.ones(3)})

        arrays = load_file(checkpoints.path(RUN, 5))
        assert {name: (values.dtype.name, values.shape) for name, values in arrays.items()} == {
            "weight": ("float32", (3, 2)),
            "bias": ("float64", (2,)),
        }

    @settings(max_examples=50, deadline=None)
    @given(data=st.data())
    def test_arrays_of_every_shape_and_type_come_back(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        values = st_numpy.arrays(
            st.sampled_from(FLOATS + WHOLE),
            st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        )
        names = st.text(min_size=1, max_size=8).filter(lambda name: name != "__metadata__")
        arrays = data.draw(st.dictionaries(names, values, max_size=4))
        checkpoints = CheckpointStore(tmp_path_factory.mktemp("any"))
        sent = ArrayRecord({name: Array(value) for name, value in arrays.items()})

        checkpoints.save(RUN, 1, sent, arrays, {})
        got = checkpoints.load(RUN, 1)

        assert [(name, array.data) for name, array in got.arrays.items()] == [
            (name, array.data) for name, array in sent.items()
        ]
        assert {name: value.tobytes() for name, value in got.state.items()} == {
            name: value.tobytes() for name, value in arrays.items()
        }
        assert {name: (value.dtype, value.shape) for name, value in got.state.items()} == {
            name: (value.dtype, value.shape) for name, value in arrays.items()
        }

    @pytest.mark.parametrize(
        "odd",
        [
            np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            np.arange(6, dtype=">i4").reshape(2, 3),
            np.arange(24.0).reshape(4, 6)[::2, ::-2],
        ],
        ids=["Fortran's order", "big-endian", "a view with steps"],
    )
    def test_arrays_that_lie_differently_in_memory_have_the_same_values(
        self, checkpoints: CheckpointStore, odd: NDArray[Any]
    ) -> None:
        checkpoints.save(RUN, 1, ArrayRecord({"x": Array(odd)}), {"x": odd}, {})

        got = checkpoints.load(RUN, 1)
        np.testing.assert_array_equal(got.arrays["x"].numpy(), odd)
        np.testing.assert_array_equal(got.state["x"], odd)

    def test_an_array_that_lies_as_the_file_has_it_is_not_copied(self) -> None:
        values = np.arange(6, dtype=np.float32).reshape(2, 3)

        assert np.shares_memory(plain(values), values)

    @pytest.mark.parametrize("name", ["__metadata__", "x"])
    def test_what_the_file_format_cannot_hold_is_refused(
        self, checkpoints: CheckpointStore, name: str
    ) -> None:
        arrays = ArrayRecord({name: Array(np.zeros(2, np.complex128 if name == "x" else np.float32))})

        with pytest.raises(CheckpointInvalid, match="cannot be kept"):
            checkpoints.save(RUN, 1, arrays, {}, {})
        assert rounds_of(checkpoints) == []

    def test_the_strategys_state_is_optional(self, checkpoints: CheckpointStore, folder: Path) -> None:
        save(checkpoints, 1)

        assert checkpoints.load(RUN, 1).state == {}
        assert [path.name for path in (folder / RUN).iterdir()] == ["round-00001.safetensors"]

    def test_a_round_that_is_written_again_replaces_the_first(
        self, checkpoints: CheckpointStore, folder: Path
    ) -> None:
        save(checkpoints, 1, state={"m": np.zeros(2)})
        checkpoints.save(RUN, 1, a_model(9.0), {"m": np.ones(2)}, {})

        got = checkpoints.load(RUN, 1)
        assert got.arrays["weight"].numpy()[0, 0] == 9.0
        assert got.state["m"].tolist() == [1.0, 1.0]
        assert len(list((folder / RUN).iterdir())) == 2

    @pytest.mark.skipif(os.name == "nt", reason="needs rights as POSIX has them")
    def test_it_is_for_the_servers_user_alone(self, checkpoints: CheckpointStore) -> None:
        save(checkpoints, 1)

        assert checkpoints.path(RUN, 1).stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("run_id", ["", "..", "../x", "a/b", "a\0"])
    def test_a_run_id_is_no_path(self, checkpoints: CheckpointStore, run_id: str) -> None:
        with pytest.raises(ValueError, match="not the id of a run"):
            checkpoints.path(run_id, 1)


def flip_last_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def rename_an_array(path: Path) -> None:
    content = path.read_bytes()
    assert content.count(b"bias") == 2
    path.write_bytes(content.replace(b"bias", b"Bias", 1))


def change_metadata(path: Path, **changes: str) -> None:
    content = path.read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] |= changes
    new = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(new)) + new + content[8 + size :])


DAMAGE = [
    flip_last_byte,
    cut_short,
    rename_an_array,
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"\xff" * 100),
    lambda path: change_metadata(path, round="4"),
    lambda path: change_metadata(path, run="other"),
    lambda path: change_metadata(path, fedloom="2"),
    lambda path: change_metadata(path, names='["weight", "weight"]'),
    lambda path: change_metadata(path, names="?"),
    lambda path: change_metadata(path, state="../../secret"),
    lambda path: flip_last_byte(next(path.parent.glob("round-00003-*.state.*"))),
    lambda path: next(path.parent.glob("round-00003-*.state.*")).unlink(),
]


class TestDamage:
    @pytest.mark.parametrize("damage", DAMAGE)
    def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_used(
        self, checkpoints: CheckpointStore, caplog: pytest.LogCaptureFixture, damage: Any
    ) -> None:
        save(checkpoints, 1, 2, 3, state={"m": np.arange(3)})
        damage(checkpoints.path(RUN, 3))

        with pytest.raises(CheckpointInvalid):
            checkpoints.load(RUN, 3)
        newest = checkpoints.newest(RUN)

        assert newest is not None
        assert newest.round == 2
        assert newest.arrays["weight"].numpy()[0, 0] == 2.0
        (record,) = caplog.records
        assert record.levelno == logging.ERROR
        assert (
            "It is set aside as round-00003.safetensors.damaged, and the run can go on" in record.getMessage()
        )
        assert rounds_of(checkpoints) == [1, 2]

    def test_of_a_run_whose_checkpoints_are_all_damaged_there_is_none(
        self, checkpoints: CheckpointStore
    ) -> None:
        save(checkpoints, 1, 2)
        for number in (1, 2):
            cut_short(checkpoints.path(RUN, number))

        assert checkpoints.newest(RUN) is None
        assert rounds_of(checkpoints) == []

    def test_a_damaged_checkpoint_does_not_count_as_one_to_keep(self, checkpoints: CheckpointStore) -> None:
        save(checkpoints, 1, 2, 3)
        for number in (1, 2, 3):
            cut_short(checkpoints.path(RUN, number))
        assert checkpoints.newest(RUN) is None

        save(checkpoints, 1)
        checkpoints.prune(RUN, keep_newest=2, best=None)

        assert rounds_of(checkpoints) == [1]
        newest = checkpoints.newest(RUN)
        assert newest is not None
        assert newest.round == 1

    def test_without_any_there_is_none(self, checkpoints: CheckpointStore) -> None:
        assert checkpoints.newest(RUN) is None
        assert rounds_of(checkpoints) == []
        with pytest.raises(CheckpointInvalid, match="is not there"):
            checkpoints.load(RUN, 1)

    def test_the_digest_knows_names_types_and_shapes(self) -> None:
        zeros = np.zeros(4, np.float32)
        different: list[dict[str, NDArray[Any]]] = [
            {"a": zeros},
            {"b": zeros},
            {"a": zeros.reshape(2, 2)},
            {"a": np.zeros(2)},
            {"a": zeros[:0], "b": zeros},
            {},
        ]
        assert len({digest_of(arrays) for arrays in different}) == len(different)
        assert digest_of({"a": zeros, "b": zeros}) == digest_of({"b": zeros, "a": zeros})


class TestAfterACut:
    def test_what_was_not_finished_is_removed_when_it_is_opened_again(
        self, checkpoints: CheckpointStore, folder: Path
    ) -> None:
        save(checkpoints, 1, state={"m": np.zeros(2)})
        save(checkpoints, 2, state={"m": np.zeros(2)})
        kept = sorted(path.name for path in (folder / RUN).iterdir())
        (folder / RUN / "round-00003.safetensors.tmp").write_bytes(b"half")
        (folder / RUN / ".tmpA1b2C3").write_bytes(b"half")
        checkpoints.path(RUN, 2).rename(folder / RUN / "round-00002.safetensors.tmp")

        CheckpointStore(folder)

        assert sorted(path.name for path in (folder / RUN).iterdir()) == kept[:2]

    def test_a_write_that_fails_leaves_the_one_before_it(
        self, checkpoints: CheckpointStore, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save(checkpoints, 1, state={"m": np.zeros(2)})

        def fail(path: Path) -> None:
            raise OSError(5, "Input/output error")

        for failing in ("sync_file", "sync_folder"):
            with monkeypatch.context() as patched:
                patched.setattr(f"app.store.files.{failing}", fail)
                with pytest.raises(StoreUnavailable, match="Input/output error"):
                    checkpoints.save(RUN, 1, a_model(9.0), {"m": np.ones(2)}, {})

            assert not list((folder / RUN).glob("*.tmp"))
            newest = CheckpointStore(folder).newest(RUN)
            assert newest is not None
            assert newest.state["m"].tolist() == [0.0, 0.0]


class TestWhatIsDeleted:
    def test_the_newest_and_the_best_are_kept(self, checkpoints: CheckpointStore, folder: Path) -> None:
        save(checkpoints, *range(1, 8), state={"m": np.zeros(2)})

        checkpoints.prune(RUN, keep_newest=2, best=3)

        assert rounds_of(checkpoints) == [3, 6, 7]
        assert len(list((folder / RUN).iterdir())) == 6
        assert checkpoints.load(RUN, 3).round == 3

    def test_a_best_round_without_a_checkpoint_changes_nothing(self, checkpoints: CheckpointStore) -> None:
        save(checkpoints, 1, 2, 3)

        checkpoints.prune(RUN, keep_newest=1, best=0)

        assert rounds_of(checkpoints) == [3]


class TestWhatIsListed:
    def test_it_says_what_there_is(self, checkpoints: CheckpointStore) -> None:
        save(checkpoints, 2, 10)

        first, second = checkpoints.list(RUN, best=10)

        size = checkpoints.path(RUN, 2).stat().st_size
        assert first == CheckpointInfo(2, size, first.created_at, best=False)
        assert (second.round, second.best) == (10, True)
        assert first.created_at < second.created_at

    @pytest.mark.parametrize(
        ("rounds", "best"),
        [
            ([], None),
            ([(0.5, 1.0)], 0),
            ([(0.5, 1.0), (0.9, 3.0), (0.7, 0.1)], 1),
            ([(0.9, None), (0.9, None)], 0),
            ([(None, 2.0), (None, 1.0), (None, 1.0)], 1),
            ([(None, None), (0.1, 9.0)], 1),
            ([(None, None)], None),
        ],
    )
    def test_the_best_round_is_the_first_with_the_highest_accuracy(
        self, rounds: list[tuple[float | None, float | None]], best: int | None
    ) -> None:
        known = [
            Round(round=number, complete=True, accuracy=accuracy, loss=loss, started_at=0.0)
            for number, (accuracy, loss) in enumerate(rounds)
        ]
        cut = Round(round=99, complete=False, accuracy=1.0, loss=0.0, started_at=0.0)

        assert best_round([*known, cut]) == best
