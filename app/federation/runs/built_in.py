"""BuiltInKind: runs of the built-in ServerApp, which are saved each round and can go on after a crash."""

from __future__ import annotations

from flwr.app import Context, Message, UserConfig

from app.federation.grid.codec import Arrived, opened
from app.federation.grid.instruction import Instruction
from app.federation.rounds import server_app
from app.federation.rounds.built_in_replies import BuiltInReplies
from app.federation.rounds.results import ClientResult
from app.federation.rounds.secure_replies import read_secure_reply
from app.federation.runs.accounts import Accounts
from app.federation.runs.kind import RunKind, RunParts
from app.federation.runs.saved_rounds import SavedRounds
from app.federation.runs.services import Services
from app.federation.strategies import build_strategy
from app.federation.strategies.sampling import cohort_size
from app.records import Run, WaitingFor, WaitKind
from shared.data.datasets import dataset_info
from shared.payload import Payload

BESIDE_THE_MODEL = 256 << 10
"""Bytes in a reply that are not the model, or in one that has none: a few numbers, or a traceback."""


class BuiltInKind(RunKind):
    """Knows what the built-in apps send, and needs."""

    def __init__(self, run: Run, services: Services) -> None:
        """Raises StoreUnavailable, and SettingsInvalid for a spec that its strategy does not take."""
        self._run = run
        self._spec = run.spec
        self._services = services
        self.replies = BuiltInReplies()
        self.accounts = Accounts(run, services.audit, services.updates)
        self._secret = services.store.secret(run.id)
        self._minimum_updates = build_strategy(run.spec, self._secret).minimum_updates

    @property
    def run_config(self) -> UserConfig:
        """The spec, as the built-in apps take it."""
        return self._spec.to_run_config()

    def call_server_app(self, parts: RunParts, context: Context) -> None:
        """Carry out the run."""
        self._services.book.update(self._run.id, classes=dataset_info(self._spec.dataset).class_names)
        parts.shown.waits(WaitingFor(kind=WaitKind.DATA), self._spec.dataset)
        rounds = SavedRounds(self._run, parts, self.replies, self.accounts, self._services)
        server_app.build(rounds, self._secret, self._services.server)(parts.grid, context)

    def open_reply(self, payload: Payload) -> Arrived:
        """With its arrays, which strategies and checks read."""
        arrived = opened(payload)
        self.accounts.opened(arrived.message, payload)
        return arrived

    def read(self, instruction: Instruction, reply: Message) -> ClientResult:
        """The reply must be sane, and an update must fit the model."""
        secure = self._spec.secure_aggregation
        if secure is None:
            result = self.replies.read(instruction, reply)
        else:
            result = read_secure_reply(secure, instruction, reply)
        self.accounts.came_from(instruction.client_id, reply)
        return result

    def largest_reply(self, kind: str, sent_bytes: int) -> int:
        """A model like the one that was sent; one of wider numbers is still taken, and refused in words."""
        return 2 * sent_bytes + BESIDE_THE_MODEL

    def required(self, kind: str, asked: int, declined: int, members: int) -> int:
        """A round needs updates; it can do without the clients' own evaluation."""
        if kind != "train":
            return 0
        can_come = asked - declined
        return min(self._spec.required_updates(can_come, self._minimum_updates), can_come)

    def least(self, kind: str, asked: int, declined: int, members: int) -> int:
        """A secure sum opens only with enough of those who began it, whatever they were asked meanwhile."""
        least = self.required(kind, asked, declined, members)
        secure = self._spec.secure_aggregation
        if secure is None or kind == "evaluate":
            return least
        began = max(asked, cohort_size(members, self._spec.fraction_train))
        return max(least, secure.needed(began), secure.least_in_sum(began))

    def cohort(self, asked: int, members: int) -> int:
        """A round asks all of its clients at once."""
        return asked

    def can_start_over(self, kind: str) -> bool:
        """A round of training can be tried again."""
        return kind == "train"

    def looks_for_clients(self, parts: RunParts) -> None:
        """Nothing to do: the rounds wait for clients before they begin."""

    def sends(self) -> None:
        """Nothing to do."""

    def held(self, paused: bool) -> None:
        """Nothing to do: the rounds wait on the grid."""
