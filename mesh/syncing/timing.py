"""How long a shared folder waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """In seconds. Tests take shorter ones."""

    rescan_s: float = 3_600.0
    """Between two full scans, beside what the operating system tells."""
    rescan_unwatched_s: float = 60.0
    """The same, where it tells nothing."""
    racy_s: float = 3.0
    """After a scan that has read a file which was just being changed."""
    quiet_s: float = 1.0
    """Of a burst of changes, before it is looked at."""
    pause_s: float = 0.2
    """Between two looks at what there is to do, so that many small events are one."""
    longest_pause_s: float = 5.0
    """The same in a large folder, where each look takes long."""
    announce_s: float = 60.0
    """Between two announcements of what has not changed: one may have been lost."""
    answer_s: float = 30.0
    """For those who are said to have a file to find it on their disk."""
    grace_s: float = 0.5
    """For the others, after the first has answered."""
    retry_s: float = 2.0
    """After the first failure; it doubles each time."""
    longest_retry_s: float = 60.0
    problem_s: float = 30.0
    """After the folder itself could not be used."""
