"""The built-in ClientApp, in this process and the runtime's thread. It reports how far it is, and listens."""

from __future__ import annotations

import logging
import platform
from collections.abc import Callable

import torch
from flwr.app import Context, Message, RecordDict

from client import client_app
from client.job import Job
from client.known_members import KnownMembers
from client.link import ClientIdentity
from client.masking import Masking
from client.membership import Membership
from client.pause_gate import PauseGate
from client.prepared_site import prepared_site
from client.progress import reporting_to
from client.runtime import Place
from client.settings import ClientSettings
from client.site.rules import Declined
from client.work import Reporter, Work
from shared.app_host.serialised import Serialised
from shared.error_text import message_of, traceback_text
from shared.errors import Cancelled, FedLoomError, WireError
from shared.flower import client_failed, decode, encode, node_id_of
from shared.models import MODELS
from shared.proto.link_pb2 import LabelCounts
from shared.secagg.member import Member
from shared.secagg.settings import LEAST_CLIENTS
from shared.wire import MAX_LOG_TEXT

log = logging.getLogger(__name__)


def prepare(settings: ClientSettings, membership: Membership) -> Job:
    """Everything that could fail or take long, before the server hears of this client."""
    # Clients that start together would otherwise fight for the cores; a run's assignment gives more.
    torch.set_num_threads(settings.threads or 1)
    site, device = prepared_site(settings)
    return Job(
        app=BuiltInApp(_masking(settings, membership)),
        node_config=client_app.node_config_of(
            site,
            settings.home,
            private_labels=settings.private_labels or not settings.policy.label_counts,
            tells_metrics=settings.policy.metrics_of_private_runs,
            client_id=settings.client_id,
            budget=settings.policy.budget_for(settings.dataset),
        ),
        identity=ClientIdentity(
            client_id=settings.client_id,
            dataset=settings.dataset,
            models=MODELS,
            host=platform.node(),
            device=str(device),
        ),
    )


def _masking(settings: ClientSettings, membership: Membership) -> Masking:
    """The ClientApp, of which no update leaves without a mask where the run wants one."""
    key, policy = membership.key, settings.policy
    known = KnownMembers.of(settings.home, key.public.id, policy.member_keys)
    member = Member(
        settings.client_id, key, node_id_of, known.require_genuine, policy.minimum_cohort or LEAST_CLIENTS
    )
    return Masking(client_app.app, member, membership.server_keys)


class BuiltInApp:
    """A ClientApp with its context, as `client.runtime.LocalApp` has it."""

    def __init__(self, app: Callable[[Message, Context], Message]) -> None:
        self._app = app
        self._context: Context | None = None
        self._gate = PauseGate()

    def begin(self, place: Place) -> None:
        """As LocalApp has it."""
        torch.set_num_threads(place.threads)
        if self._context is not None and self._context.run_id == place.run_id:
            self._context.node_config = place.node_config
            return
        self._context = Context(
            run_id=place.run_id,
            node_id=0,
            node_config=place.node_config,
            state=RecordDict(),
            run_config=place.run_config,
        )

    def answer(self, work: Work) -> Serialised:
        """As LocalApp has it."""
        return encode(self._reply(decode(work.payload), work))

    def end_run(self) -> None:
        """Nothing: what it keeps, the next run can use, or this one when the server is back."""

    def make_ready(self) -> None:
        """Nothing: it is."""

    def cancel(self, work: Work) -> None:
        """It sees that when it reports progress, or at the gate."""
        self._gate.wake()

    def abandon(self) -> None:
        """Nothing: the messages of a run that is over are cancelled."""

    def pause(self, paused: bool) -> None:
        """Have it wait where it reports progress next, or go on."""
        self._gate.close() if paused else self._gate.open()

    def close(self) -> None:
        """Nothing holds it up any more."""
        self._gate.open()

    def _reply(self, message: Message, work: Work) -> Message:
        """What the ClientApp answers; its failure is an answer, too.

        Whatever it raises: Ctrl-C interrupts the main thread, so that a KeyboardInterrupt here is the app's.
        """
        try:
            return self._call(message, work)
        except FedLoomError as error:
            if isinstance(error, WireError | Declined) or (
                isinstance(error, Cancelled) and work.cancelled.is_set()
            ):
                raise
            reason = message_of(error)
            log.error("%s failed: %s", message.metadata.message_type, reason)
        except BaseException as error:  # the edge of somebody else's code
            log.exception("%s failed", message.metadata.message_type)
            reason = traceback_text(error)
        return client_failed(message, reason[-MAX_LOG_TEXT:])

    def _call(self, message: Message, work: Work) -> Message:
        if self._context is None or self._context.run_id != message.metadata.run_id:
            raise WireError("The server sent a message of a run in which it gave this client no place.")
        self._context.node_id = message.metadata.dst_node_id
        run_id = self._context.run_id
        with reporting_to(
            Reporter(work, self._gate),
            lambda counts: work.labels(LabelCounts(run_id=run_id, counts=counts)),
        ):
            return self._app(message, self._context)
