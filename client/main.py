"""Starts a client: prepares its app, then serves the link until it is told to end."""

from __future__ import annotations

import asyncio
import logging

from client.job import Job
from client.link import Link
from client.log_shipping import LinkLogHandler
from client.membership import Membership
from client.runtime import LocalApp, Runtime
from client.settings import ClientSettings
from client.site.confirmations import Confirmations
from client.site.round_count import ROUNDS, RoundCount
from client.site.site_app import SiteApp
from shared.console import configure_logging
from shared.errors import FedLoomError
from shared.flower_app import compare
from shared.interrupt import cancel_on_signals, end_on_signals

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 2.0


def run(settings: ClientSettings) -> int:
    """Run a client until SIGINT or SIGTERM; returns the exit code."""
    configure_logging(settings.client_id)
    end_on_signals()
    try:
        membership = Membership.of(settings)
        asyncio.run(_serve(settings, _prepare(settings, membership), membership))
    except FedLoomError as error:
        log.error("%s", error)
        return 1
    except KeyboardInterrupt:
        log.info("stopped")
    return 0


def _prepare(settings: ClientSettings, membership: Membership) -> Job:
    """What the client is to do. Only the built-in app needs PyTorch in this process."""
    if settings.app is None:
        from client import built_in_app

        return built_in_app.prepare(settings, membership)
    from client import hosted_app

    return hosted_app.prepare(settings, settings.app)


def _behind_policy(app: LocalApp, settings: ClientSettings, membership: Membership) -> LocalApp:
    """The app, which sees what the site's policy lets pass."""
    policy = settings.policy
    if policy.rules:
        log.info("this site has a policy: %s", policy)
    if policy.lets_all_pass:
        return app
    rounds = RoundCount(settings.home / ROUNDS / f"{membership.key.public.id}.json")
    confirmations = Confirmations(settings.home)
    return SiteApp(app, policy, settings.app, rounds, confirmations, membership.server)


async def _serve(settings: ClientSettings, job: Job, membership: Membership) -> None:
    runtime = Runtime(_behind_policy(job.app, settings, membership), job.node_config, settings.threads)
    runtime.start()
    link = Link(membership, job.identity, runtime, app_objection=lambda theirs: compare(theirs, settings.app))
    handler = LinkLogHandler(link.send_log)
    logging.getLogger().addHandler(handler)
    serving = asyncio.create_task(link.run())
    cancel_on_signals(serving)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("stopped")
    finally:
        logging.getLogger().removeHandler(handler)
        runtime.stop(STOP_TIMEOUT_S)
