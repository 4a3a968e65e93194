"""KeepingApp: an app that a client answers messages with; what its run needs without the server is kept on
the way, and what was learned then is handed over."""

from __future__ import annotations

import logging

from flwr.app import Array, ArrayRecord, Message, RecordDict

from client.offline.memory import Learned, RunMemory
from client.offline.signed_model import SignedModel
from client.runtime import LocalApp, Place
from client.work import Work
from shared.app_host.serialised import Serialised
from shared.flower import client_failed, decode_envelope, decode_unopened, encode
from shared.mesh_contribution import MESH_UPDATE, ContributionMetrics

SETTLE_S = 60.0
"""How long the server waits at most until what was learned is all there."""

log = logging.getLogger(__name__)


class KeepingApp:
    """As `client.runtime.LocalApp` has it."""

    def __init__(self, app: LocalApp, memory: RunMemory) -> None:
        self._app = app
        self._memory = memory

    # in the runtime's thread

    def begin(self, place: Place) -> None:
        """As LocalApp has it."""
        self._memory.placed(place)
        self._app.begin(place)

    def answer(self, work: Work) -> Serialised:
        """As LocalApp has it; a contribution is no business of the app's."""
        self._memory.passed()
        kind = decode_envelope(work.payload).metadata.message_type
        if kind != MESH_UPDATE:
            self._keep(work)
            return self._app.answer(work)
        message, _ = decode_unopened(work.payload)
        learned = self._memory.contribution(SETTLE_S, work.cancelled.is_set)
        sent = SignedModel.of(work)
        if learned is None or sent is None:
            return encode(client_failed(message, "This client has nothing more from the mesh to contribute."))
        log.info(
            "contributes what it has learned in %d mesh rounds since round %d",
            learned.contribution.mesh_rounds,
            learned.contribution.base.round,
        )
        return encode(_reply(message, sent, learned))

    def end_run(self) -> None:
        """As LocalApp has it: the run may be over, or it is not begun yet by a server that is there again."""
        self._memory.in_doubt()
        self._app.end_run()

    def make_ready(self) -> None:
        """As LocalApp has it."""
        self._app.make_ready()

    # in any thread

    def cancel(self, work: Work) -> None:
        """As LocalApp has it."""
        self._app.cancel(work)

    def abandon(self) -> None:
        """As LocalApp has it."""
        self._app.abandon()

    def pause(self, paused: bool) -> None:
        """As LocalApp has it; a run that was paused when the server went does not go on without it."""
        self._memory.is_paused = paused
        self._app.pause(paused)

    def close(self) -> None:
        """As LocalApp has it."""
        self._memory.run_over()
        self._app.close()

    def _keep(self, work: Work) -> None:
        if (model := SignedModel.of(work)) is not None:
            self._memory.kept(model.merged)
            self._memory.saw(model)


def _reply(message: Message, sent: SignedModel, learned: Learned) -> Message:
    told = learned.contribution
    arrays = ArrayRecord(
        {
            name: Array(told.model[name]) if name in told.model else array
            for name, array in sent.record.items()
        }
    )
    metrics = ContributionMetrics(
        num_examples=learned.samples,
        train_loss=learned.loss,
        epsilon=learned.epsilon,
        epsilon_of_run=learned.epsilon_of_run,
        duration_s=0.0,
        contribution=learned.number,
        generation=told.base.generation,
        base_round=told.base.round,
        mesh_rounds=told.mesh_rounds,
        mass=told.mass,
        steps=told.steps,
    )
    return Message(RecordDict({"arrays": arrays, "metrics": metrics.to_record()}), reply_to=message)
