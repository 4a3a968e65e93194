"""RunMemory: what a client keeps of its run for the time without the server, between its two threads.

The runtime's thread puts in what the server sends, and takes out what it asks for; the event loop, where the
mesh is, does the opposite.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from client.offline.signed_model import SignedModel
from client.runtime import Place
from mesh.learning.merge import Contribution

LOOK_S = 0.2


@dataclass(frozen=True)
class Learned:
    """What this client has learned without the server. `number`: at random, by which the server knows it.

    `samples`: that it trains on itself; `loss`: of its last training, None where that stays here; `epsilon`:
    spent of its data in all, `epsilon_of_run` in this run, None without differential privacy.
    """

    number: int
    contribution: Contribution
    samples: int
    loss: float | None = None
    epsilon: float | None = None
    epsilon_of_run: float | None = None


class RunMemory:
    """Of one client. Safe from any thread."""

    def __init__(self) -> None:
        self._changed: Callable[[], None] = lambda: None
        self._turn = threading.Condition()
        self._place: Place | None = None
        self._newest: SignedModel | None = None
        self._learned: Learned | None = None
        self._is_learning = False
        self._is_in_doubt = False
        self._proximal_mu = 0.0
        self._has_passed = False
        self.is_paused = False

    def on_change(self, changed: Callable[[], None]) -> None:
        """Have `changed` called, in either thread, after something else than a pause has changed."""
        self._changed = changed

    # what the server says

    def placed(self, place: Place) -> None:
        """The client has a place in a run; in another one than before, nothing of that one counts."""
        with self._turn:
            if self._place is not None and self._place.run_id != place.run_id:
                self._newest = self._learned = None
                self._proximal_mu = 0.0
                self._has_passed = False
            self._place = place
            self._is_in_doubt = False
        self._changed()

    def saw(self, model: SignedModel) -> None:
        """A global model, which may be older than the newest one."""
        with self._turn:
            if self._place is None or model.base.run != run_name(self._place):
                return
            if model.proximal_mu is not None:
                self._proximal_mu = model.proximal_mu
            if self._newest is None or order_of(model) >= order_of(self._newest):
                self._newest = model
        self._changed()

    def passed(self) -> None:
        """The site's policy has let a message of the run pass."""
        self._has_passed = True

    def kept(self, contributions: Collection[int]) -> None:
        """The server says that it has these, for good."""
        with self._turn:
            if self._learned is None or self._learned.number not in contributions:
                return
            self._learned = None
        self._changed()

    def in_doubt(self) -> None:
        """The server has no place for the client at present: it may have just come back."""
        self._is_in_doubt = True

    def run_over(self) -> None:
        """Nothing that belongs to the run is needed any more."""
        with self._turn:
            self._place = self._newest = self._learned = None
            self._turn.notify_all()
        self._changed()

    def contribution(self, timeout_s: float, is_cancelled: Callable[[], bool]) -> Learned | None:
        """What was learned, once nothing more is added to it. None: nothing; it takes too long, or nobody
        waits for it any more."""
        ends = time.monotonic() + timeout_s
        with self._turn:
            while self._is_learning and not is_cancelled() and time.monotonic() < ends:
                self._turn.wait(LOOK_S)
            return None if self._is_learning else self._learned

    # what the mesh does

    def begins(self) -> None:
        """The client learns without the server from now on."""
        with self._turn:
            self._is_learning = True
        self._changed()

    def ended(self, learned: Learned | None) -> None:
        """It does no longer, and this has come of it; None: nothing new."""
        with self._turn:
            self._is_learning = False
            self._learned = learned or self._learned
            self._turn.notify_all()
        self._changed()

    # what is known

    @property
    def place(self) -> Place | None:
        """The client's place in its run; None: it is in none."""
        return self._place

    @property
    def is_in_doubt(self) -> bool:
        """Whether the server has not said since the last connection that the run goes on."""
        return self._is_in_doubt

    @property
    def newest(self) -> SignedModel | None:
        """The newest global model of the run that was seen."""
        return self._newest

    @property
    def has_passed(self) -> bool:
        """Whether the site's policy has let a message of the run pass."""
        return self._has_passed

    @property
    def proximal_mu(self) -> float:
        """FedProx's mu, as the server has sent it; 0: none."""
        return self._proximal_mu

    @property
    def learned(self) -> Learned | None:
        """What the server does not have yet."""
        return self._learned


def run_name(place: Place) -> str:
    """The run's id, as people see it."""
    return f"{place.run_id:08x}"


def order_of(model: SignedModel) -> tuple[int, int]:
    """Of two global models of a run the one with the larger is newer: a later turn of a server goes before,
    and may begin with an earlier round, where the one before it has kept nothing."""
    return model.base.generation, model.base.round
