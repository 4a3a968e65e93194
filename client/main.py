"""Starts a client: prepares its app, then serves the link until it is told to end, or, with --mesh-only, the
mesh alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace

from client.job import Job
from client.link import Link
from client.log_shipping import LinkLogHandler
from client.membership import Membership
from client.runtime import LocalApp, Runtime
from client.settings import ClientSettings
from client.site.confirmations import Confirmations
from client.site.policy import LogRule, MeshRule, UsageRule
from client.site.round_count import ROUNDS, RoundCount
from client.site.site_app import SiteApp
from client.usage_report import UsageReport
from dashboard.counters import MachineCounters
from shared.console import configure_logging
from shared.errors import FedLoomError
from shared.flower_app import compare
from shared.interrupt import cancel_on_signals, end_on_signals

log = logging.getLogger(__name__)

STOP_TIMEOUT_S = 2.0


def run(settings: ClientSettings) -> int:
    """Run a client until SIGINT or SIGTERM; returns the exit code."""
    configure_logging(settings.client_id, log_format=settings.log_format)
    end_on_signals()
    try:
        if settings.mesh is not None and settings.mesh.only:
            from client import mesh_only  # only now: it imports PyTorch

            asyncio.run(mesh_only.serve(settings, settings.mesh))
            return 0
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
    serving = asyncio.create_task(_serve_link(settings, job, membership))
    cancel_on_signals(serving)
    try:
        await serving
    except asyncio.CancelledError:
        log.info("stopped")


async def _serve_link(settings: ClientSettings, job: Job, membership: Membership) -> None:
    app, memory = job.app, None
    options = settings.mesh
    if options is not None and settings.policy.mesh is MeshRule.OFF:
        log.warning('--enable-mesh has no effect: the policy of this site has mesh = "off"')
        options = None
    if options is not None:
        from client.offline.keeping_app import KeepingApp
        from client.offline.memory import RunMemory

        memory = RunMemory()
        app = KeepingApp(app, memory)
    runtime = Runtime(_behind_policy(app, settings, membership), job.node_config, settings.threads)
    runtime.start()
    try:
        async with AsyncExitStack() as running:
            meshed = None
            if options is not None and memory is not None:
                from client.offline.node import client_node

                node = client_node(settings, options, membership, memory, runtime)
                meshed = await running.enter_async_context(node)
                if (assignment := meshed.kept_assignment()) is not None:
                    runtime.assign(assignment)
                if options.page is not None:
                    from client.page.server import serving_page

                    running.enter_context(
                        serving_page(
                            options.page, lambda: meshed.status().to_json(), meshed.actions.carry_out
                        )
                    )
            withholds = settings.policy.usage is UsageRule.OFF
            link = Link(
                membership,
                replace(job.identity, withholds_usage=withholds),
                runtime,
                app_objection=lambda theirs: compare(theirs, settings.app),
                meshed=meshed,
                takes_usage=lambda takes: usage.is_wanted(takes and not withholds),
            )
            usage = UsageReport(lambda: MachineCounters(settings.home), link.send_usage)
            running.callback(usage.is_wanted, False)
            running.enter_context(_shipping_logs(link, settings.policy.log))
            if meshed is not None:
                for telling in (meshed.tell_changes(link.report), meshed.tell_now(link.report_now)):
                    running.push_async_callback(_ended, asyncio.create_task(telling))
            await link.run()
    finally:
        runtime.stop(STOP_TIMEOUT_S)


@contextmanager
def _shipping_logs(link: Link, rule: LogRule) -> Iterator[None]:
    handler = LinkLogHandler(link.send_log, rule)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
