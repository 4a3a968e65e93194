"""What a server of several processes finds: the secret of both, Redis, and a dashboard's federation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from app.auth.replica_key import FILE, ReplicaKeyUnusable, load_replica_key
from app.event_log.redis_log import RedisFails, RedisLog
from app.replica.federation import Federation, FederationAway
from app.role_flags import Deployment
from shared.errors import SettingsInvalid
from shared.finding import Finding, ok, problem, warning
from shared.security.server_identity import KEYS

MOMENT_S = 0.001
NO_STREAM = "of the doctor"
"""Of no start of a federation."""


def of_federation(deployment: Deployment, home: Path) -> Iterator[Finding]:
    """The checks that `--role federation` has beside all others."""
    made = home / KEYS / FILE
    if deployment.replica_key is None and not made.exists():
        yield ok("replica key", "none yet: it is made at the first start, for the dashboards")
    else:
        yield _key(deployment, home)[0]
    yield redis(deployment.redis)


def of_dashboard(deployment: Deployment, home: Path) -> Iterator[Finding]:
    """Those that `--role dashboard` has in place of a server's own."""
    found, key = _key(deployment, home)
    yield found
    yield federation(deployment, key)
    yield redis(deployment.redis)


def federation(deployment: Deployment, key: str | None) -> Finding:
    """Whether it answers a dashboard. `key`: the secret that both have; None: there is none to ask with."""
    url = str(deployment.federation)
    if key is None:
        return warning("federation", f"{url} was not asked, as the secret for it is missing.")
    try:
        with closing(Federation(url, key, deployment.federation_cert)) as asked:
            asked.pulse([])
    except (FederationAway, SettingsInvalid) as error:
        return problem(
            "federation",
            str(error),
            "Until that is mended the page shows nothing. `python -m app.doctor --role federation` there, "
            "with its flags, says whether it can run.",
        )
    return ok("federation", f"{url} answers, and knows this dashboard")


def redis(url: str | None) -> Finding:
    """Whether dashboards can follow the federation by it."""
    if url is None:
        return ok("redis", "none is given: dashboards ask the federation, which is enough for a few of them")
    with closing(RedisLog(url)) as log:
        try:
            log.read(NO_STREAM, 0, MOMENT_S)
        except RedisFails as error:
            return warning(
                "redis",
                f"{error}.",
                "Until it answers dashboards ask the federation, which is slower with many of them.",
            )
        return ok("redis", f"{log.name} answers")


def _key(deployment: Deployment, home: Path) -> tuple[Finding, str | None]:
    """Whether the secret that federation and dashboards have can be used, and what it is."""
    try:
        key = load_replica_key(deployment.replica_key, home / KEYS)
    except ReplicaKeyUnusable as error:
        return problem("replica key", str(error)), None
    return ok("replica key", f"in {deployment.replica_key or home / KEYS / FILE}"), key
