"""What the benchmarks report, and that they compare equal work. How fast it is, only `bench` itself says."""

from __future__ import annotations

import json
import mmap
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench import bare, echo, memory, payload, workload
from bench.__main__ import main
from bench.crew import BenchFailed
from bench.images import write_images
from bench.report import FEDLOOM, Figure, Machine, Result, medians, ratios, table, this_machine, write_json
from bench.workload import Outcome
from client.learner import HELD_OUT
from shared.data.datasets import load_test, load_train, load_train_labels
from shared.data.partition import partition_indices, split_holdout
from shared.models import build_model, num_parameters

MACHINE = Machine(
    cpu="abacus", cores=2, load=0.25, system="Linux", python="3.11", torch="2.14.1", flwr="1.41.0"
)
RESULT = Result(
    name="round",
    title="five rounds",
    value=1.02,
    unit="x bare",
    reach=1.05,
    beside={"bare": 1.0, "peer": 3.0},
    runs=[{"bare": 5.0, FEDLOOM: 5.1, "peer": 15.0}],
    runs_unit="s",
    note="a note",
    quick=False,
    machine=MACHINE,
)

FIGURE = Figure(name="memory", value=3.5, unit="x model", reach=4.0, runs=[3.0, 3.5, 9.0])


def test_the_median_counts_for_each_system() -> None:
    runs = [{"a": 3.0, "b": 30.0}, {"a": 1.0, "b": 10.0}, {"a": 2.0, "b": 99.0}]
    assert medians(runs) == {"a": 2.0, "b": 30.0}


def test_ratios_are_taken_within_a_repetition() -> None:
    """The third repetition met a machine of a tenth of the speed; the ratio of the medians would be 2."""
    runs = [{"bare": 1.0, "x": 3.0}, {"bare": 2.0, "x": 4.0}, {"bare": 10.0, "x": 30.0}]
    assert ratios(runs, "bare") == {"bare": 1.0, "x": 3.0}


@pytest.mark.parametrize(("value", "reached"), [(1.04, True), (1.05, True), (1.051, False)])
def test_a_number_is_reached_at_its_limit(value: float, reached: bool) -> None:
    assert replace(RESULT, value=value).reached is reached


@pytest.mark.parametrize(("value", "reached"), [(0.39, False), (0.4, True), (0.5, True)])
def test_a_number_may_have_to_be_large(value: float, reached: bool) -> None:
    assert replace(RESULT, value=value, reach=0.4, at_least=True).reached is reached


@pytest.mark.parametrize(
    ("value", "figure", "all_reached"), [(1.0, 4.0, True), (1.0, 4.1, False), (2.0, 4.0, False)]
)
def test_a_benchmark_is_good_when_every_number_is(value: float, figure: float, all_reached: bool) -> None:
    result = replace(RESULT, value=value, figures=[replace(FIGURE, value=figure)])
    assert result.all_reached is all_reached


def test_the_json_has_what_others_read(tmp_path: Path) -> None:
    write_json(RESULT, tmp_path / "round.json")
    written = json.loads((tmp_path / "round.json").read_text(encoding="utf-8"))
    assert {key: written[key] for key in ("name", "value", "unit", "reach", "reached", "beside", "runs")} == {
        "name": "round",
        "value": 1.02,
        "unit": "x bare",
        "reach": 1.05,
        "reached": True,
        "beside": {"bare": 1.0, "peer": 3.0},
        "runs": [{"bare": 5.0, "FedLoom": 5.1, "peer": 15.0}],
    }
    assert written["machine"]["load"] == 0.25


def test_the_json_has_every_figure_to_reach(tmp_path: Path) -> None:
    write_json(replace(RESULT, figures=[replace(FIGURE, value=5.0)]), tmp_path / "round.json")
    written = json.loads((tmp_path / "round.json").read_text(encoding="utf-8"))
    assert written["figures"] == [
        {
            "name": "memory",
            "value": 5.0,
            "unit": "x model",
            "reach": 4.0,
            "at_least": False,
            "reached": False,
            "runs": [3.0, 3.5, 9.0],
        }
    ]
    assert (written["reached"], written["all_reached"]) == (True, False)


def test_the_table_has_all_systems_best_first_with_their_runs() -> None:
    lines = table(RESULT).splitlines()
    rows = [line.split() for line in lines if line.startswith(("bare", FEDLOOM, "peer"))]
    assert rows == [["bare", "1.00", "5.00"], ["FedLoom", "1.02", "5.10"], ["peer", "3.00", "15.00"]]
    assert "to reach: at most 1.05 x bare: reached" in lines


def test_the_table_says_when_a_number_is_not_reached() -> None:
    assert "at most 1.05 x bare: NOT reached" in table(replace(RESULT, value=2.0))


def test_the_table_has_the_most_first_where_more_is_better() -> None:
    lines = table(replace(RESULT, reach=0.4, at_least=True)).splitlines()
    assert [line.split()[0] for line in lines if line.startswith(("bare", FEDLOOM, "peer"))] == [
        "peer",
        FEDLOOM,
        "bare",
    ]
    assert "to reach: at least 0.4 x bare: reached" in lines


def test_the_table_has_the_other_figures() -> None:
    lines = table(replace(RESULT, figures=[FIGURE])).splitlines()
    assert "memory  3.50 x model  3.00  3.50  9.00" in lines
    assert "to reach: memory at most 4 x model: reached" in lines


def test_a_quick_run_is_no_figure_to_quote() -> None:
    assert "no figure to quote" in table(replace(RESULT, quick=True))


def test_the_machine_is_described() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.torch == torch.__version__
    assert machine.cpu


def test_the_generated_images_are_read_as_mnist_and_the_same_each_time(tmp_path: Path) -> None:
    write_images(tmp_path / "a", num_train=50, num_test=20)
    write_images(tmp_path / "b", num_train=50, num_test=20)
    first, second = (load_train("mnist", tmp_path / name) for name in "ab")
    assert first.inputs.shape == (50, 1, 28, 28)
    assert torch.equal(first.inputs, second.inputs)
    assert torch.equal(first.labels, second.labels)
    assert sorted(load_test("mnist", tmp_path / "a").labels.tolist()) == sorted([*range(10)] * 2)


def test_every_client_trains_on_a_thousand_samples(tmp_path: Path) -> None:
    spec = workload.spec(num_rounds=5)
    with workload.images() as data_dir:
        labels = load_train_labels(spec.dataset, data_dir)
    for part in range(workload.CLIENTS):
        indices = partition_indices(labels, workload.CLIENTS, part, alpha=spec.alpha, seed=spec.seed)
        rows, held_out = split_holdout(indices, HELD_OUT, seed=0)
        assert (len(rows), len(held_out)) == (workload.SAMPLES, workload.HELD_OUT)


@pytest.mark.parametrize("before", ["/where/they/were", None])
def test_afterwards_data_sets_are_where_they_were(
    before: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before is None:
        monkeypatch.delenv("FEDLOOM_DATA_DIR", raising=False)
    else:
        monkeypatch.setenv("FEDLOOM_DATA_DIR", before)

    with workload.images() as data_dir:
        assert os.environ["FEDLOOM_DATA_DIR"] == str(data_dir)

    assert os.environ.get("FEDLOOM_DATA_DIR") == before


def test_weights_survive_the_shared_memory_of_the_bare_processes() -> None:
    one, other = (build_model("cnn", "digits", seed=seed) for seed in (1, 2))
    row = torch.empty(num_parameters(one))
    bare.store(one, row)
    bare.load(other, row)
    row.zero_()  # `other` must hold a copy
    for kept, copied in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(kept, copied)


@pytest.mark.parametrize(("quick", "size"), [(False, 100_000_000), (True, 8_000_000)])
def test_the_payload_has_the_size_that_the_table_says(quick: bool, size: int) -> None:
    assert echo.size(payload.model(payload.elements(quick))) == pytest.approx(size, rel=1e-3)


def test_the_peak_of_the_memory_is_what_was_there_for_a_moment() -> None:
    before = memory.resident_bytes()
    memory.reset_peak()
    with mmap.mmap(-1, 50_000_000) as held:  # new pages, whatever the process has free
        for start in range(0, len(held), mmap.PAGESIZE):
            held[start] = 1
    assert memory.peak_bytes() - before >= 45_000_000
    memory.reset_peak()
    assert memory.peak_bytes() - before < 45_000_000


def test_systems_that_learned_something_else_are_not_compared() -> None:
    workload.check_same_work({"a": Outcome(1.0, 0.25), "b": Outcome(9.0, 0.2501)})
    with pytest.raises(BenchFailed, match="same work"):
        workload.check_same_work({"a": Outcome(1.0, 0.25), "b": Outcome(9.0, 0.26)})


@pytest.mark.parametrize("arguments", [["marathon"], ["round", "--repeats", "0"]])
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert "error:" in capsys.readouterr().err
