"""The limit of `round`: processes that do the same learning with no federation between them.

Equal to FedLoom: the functions that train and evaluate; the model; data, parts and seeds, hence every batch;
torch threads per process; processes that are forked from one that has PyTorch imported, and warmed up before
the clock starts; data read in round 1; per round one epoch each, one weighted average, and one evaluation of
the average on the test set while the clients evaluate it on their held-out samples.

Absent: messages. The weights lie in memory that all processes share; a word in a pipe says that they are
there. The final loss must be that of FedLoom.
"""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Connection
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from bench.crew import Crew
from bench.workload import CLIENTS, Outcome
from client.learner import HELD_OUT
from client.prepared_site import WARM_UP_BATCH
from shared.data.datasets import TensorSet, load_test, load_train, load_train_labels
from shared.data.partition import partition_indices, split_holdout
from shared.models import build_model, num_parameters
from shared.run_spec import RunSpec
from shared.seeds import derive_seed
from shared.training import TrainConfig, evaluate, resolve_device, train, warm_up


def run(spec: RunSpec, data_dir: Path) -> Outcome:
    """Rounds 1 to the last, timed as FedLoom's are: from the end of the initial evaluation."""
    device = resolve_device()
    model = build_model(spec.model, spec.dataset, derive_seed(spec.seed, "model"))
    test_set = load_test(spec.dataset, data_dir).to(device)
    shape = (CLIENTS + 1, num_parameters(model))
    memory = SharedMemory(create=True, size=4 * shape[0] * shape[1])
    try:
        weights = _weights(memory, shape)
        members = [(memory.name, shape, part, spec, data_dir) for part in range(CLIENTS)]
        with Crew(_client, members) as crew:
            crew.hear()
            evaluate(model, test_set, device=device)
            started = time.monotonic()
            for server_round in range(1, spec.num_rounds + 1):
                loss = _round(crew, server_round, model, weights, test_set, device)
            return Outcome(time.monotonic() - started, loss)
    finally:
        del weights
        memory.close()
        memory.unlink()


def _round(
    crew: Crew,
    server_round: int,
    model: nn.Module,
    weights: Tensor,
    test_set: TensorSet,
    device: torch.device,
) -> float:
    store(model, weights[-1])
    crew.tell(server_round)
    examples = torch.tensor(crew.hear(), dtype=torch.float32)
    torch.matmul(examples / examples.sum(), weights[:-1], out=weights[-1])
    crew.tell(None)
    load(model, weights[-1])
    with torch.inference_mode():
        loss = evaluate(model, test_set, device=device).loss
    crew.hear()
    return loss


def _client(
    pipe: Connection, memory_name: str, shape: tuple[int, int], part: int, spec: RunSpec, data_dir: Path
) -> None:
    """Answer a round's number with the examples trained on, None with the accuracy on the held-out ones."""
    device = torch.device("cpu")
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // CLIENTS))
    warm_up(spec.model, spec.dataset, device, WARM_UP_BATCH)
    memory = SharedMemory(memory_name)
    weights = _weights(memory, shape)
    model = build_model(spec.model, spec.dataset, seed=0)
    config = TrainConfig(spec.local_epochs, spec.batch_size, spec.lr)
    data: tuple[TensorSet, TensorSet] | None = None
    pipe.send("ready")
    while True:
        server_round = pipe.recv()
        load(model, weights[-1])
        data = data or _data(spec, data_dir, part)
        if server_round is None:
            pipe.send(evaluate(model, data[1], device=device).accuracy)
            continue
        seed = derive_seed(spec.seed, "train", server_round, part)
        result = train(model, data[0], config, device=device, seed=seed)
        store(model, weights[part])
        pipe.send(result.examples)


def _data(spec: RunSpec, data_dir: Path, part: int) -> tuple[TensorSet, TensorSet]:
    labels = load_train_labels(spec.dataset, data_dir)
    indices = partition_indices(labels, CLIENTS, part, alpha=spec.alpha, seed=spec.seed)
    rows, held_out = split_holdout(indices, HELD_OUT, derive_seed(spec.seed, "held-out", part))
    return load_train(spec.dataset, data_dir, rows), load_train(spec.dataset, data_dir, held_out)


def _weights(memory: SharedMemory, shape: tuple[int, int]) -> Tensor:
    """One row of weights for each client and a last one for the global model, float32."""
    return torch.from_numpy(np.ndarray(shape, dtype=np.float32, buffer=memory.buf))


def store(model: nn.Module, row: Tensor) -> None:
    """Copy the weights of `model` to `row`, float32 (num_parameters,)."""
    torch.cat([parameter.detach().flatten().cpu() for parameter in model.parameters()], out=row)


def load(model: nn.Module, row: Tensor) -> None:
    """The inverse of `store`."""
    parameters = list(model.parameters())
    with torch.no_grad():
        parts = row.split([parameter.numel() for parameter in parameters])
        for parameter, values in zip(parameters, parts, strict=True):
            parameter.copy_(values.view_as(parameter))
