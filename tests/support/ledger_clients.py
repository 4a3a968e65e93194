"""A client that is killed between computing and replying: its command line, after a MOMENT.

MOMENT is `before-entry` (the update is computed, and nothing of it stands anywhere) or `after-entry` (it
stands in the ledger, and nothing of it has left). The client kills itself with SIGKILL, at its second update.
"""

from __future__ import annotations

import os
import signal
import sys

from client.cli import main
from client.ledger.entry import Expense
from client.ledger.ledger import Ledger
from shared.spent import Spent

AT_UPDATE = 2

_enter = Ledger.enter
_entered = 0


def _enter_and_die(ledger: Ledger, expense: Expense) -> Spent:
    global _entered
    _entered += 1
    if _entered == AT_UPDATE and sys.argv[1] == "before-entry":
        os.kill(os.getpid(), signal.SIGKILL)
    spent = _enter(ledger, expense)
    if _entered == AT_UPDATE:
        os.kill(os.getpid(), signal.SIGKILL)
    return spent


if __name__ == "__main__":
    setattr(Ledger, "enter", _enter_and_die)  # noqa: B010 - in place of a method
    sys.exit(main(sys.argv[2:]))
