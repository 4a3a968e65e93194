"""Multicast DNS: members on the same network find each other without being told where (RFC 6762, RFC 6763).

A comfort, not the main road: it does not cross routers, nor many wireless networks, containers and virtual
machines. Whatever fails in it is one line of the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence

import zeroconf
from zeroconf import IPVersion, ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from mesh.members import Members
from shared.address import Address
from shared.errors import FedLoomError, SettingsInvalid
from shared.security.key_id import KeyId

SERVICE = "_fedloom-mesh._tcp.local."
KEY = "key"
"""The one property: the id of the node's key, which whoever connects learns anyway. No name."""

MAX_HEARD = 1_000
"""Keys that are remembered: anybody on the network may make up any number."""
MAX_QUESTIONS = 32
"""At once."""
LOOK_S = 10.0
"""Between two looks at which interfaces there are."""
_QUESTION_MS = 3_000
_GOODBYE_S = 2.0

log = logging.getLogger(__name__)


class Nearby:
    """What was heard on the network. Used in the event loop."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._heard: OrderedDict[KeyId, Address] = OrderedDict()
        members.watch(self._tell_all)

    def heard(self, key: KeyId, address: Address) -> None:
        """Somebody says that a node with this key is there. It counts if it is a member, or becomes one."""
        self._heard[key] = address
        self._heard.move_to_end(key)
        if len(self._heard) > MAX_HEARD:
            self._heard.popitem(last=False)
        self._members.found(key, address)

    def _tell_all(self) -> None:
        members = self._members.all()
        for key, address in tuple(self._heard.items()):
            if key in members and address not in members[key].addresses:
                self._members.found(key, address)


class Multicast:
    """A node's part in multicast DNS, on interfaces that come and go."""

    def __init__(self, key: KeyId, port: int, nearby: Nearby) -> None:
        """`port`: where the node listens, on all of the interfaces."""
        self._key = key
        self._port = port
        self._nearby = nearby

    async def run(self, addresses: Callable[[], Sequence[str]]) -> None:
        """Announce the node and hear others until cancelled. `addresses`: the IPv4 addresses of the chosen
        interfaces at present; may raise SettingsInvalid while one is gone."""
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)  # what fails is said below
        while True:
            used = _present(addresses)
            work = asyncio.ensure_future(self._on(used) if used else asyncio.sleep(0))
            try:
                while _present(addresses) == used:
                    await asyncio.sleep(LOOK_S)
            finally:
                work.cancel()
                await asyncio.wait([work])
            if not work.cancelled() and (error := work.exception()) is not None:
                raise error

    async def _on(self, interfaces: Sequence[str]) -> None:
        """On these, until cancelled, or until it fails, which is logged."""
        try:
            network = AsyncZeroconf(interfaces=list(interfaces), ip_version=IPVersion.V4Only)
            try:
                await self._talk(network, _service(self._key, self._port, interfaces))
            finally:
                await _goodbye(network)
        except (OSError, RuntimeError, zeroconf.Error) as error:
            log.warning("members on the same network are not found by themselves (mDNS: %s)", error)

    async def _talk(self, network: AsyncZeroconf, own: AsyncServiceInfo) -> None:
        await network.zeroconf.async_wait_for_start()
        listener = _Listener(network, own.name, self._nearby)
        browser = AsyncServiceBrowser(network.zeroconf, SERVICE, handlers=[listener.changed])
        try:
            await (await network.async_register_service(own))
            await asyncio.Event().wait()
        finally:
            await browser.async_cancel()


async def _goodbye(network: AsyncZeroconf) -> None:
    """Say that the node is gone, if that can be said quickly."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GOODBYE_S):
            await network.async_unregister_all_services()
    await network.async_close()


def _present(addresses: Callable[[], Sequence[str]]) -> Sequence[str]:
    try:
        return addresses()
    except SettingsInvalid:
        return ()


def _service(key: KeyId, port: int, interfaces: Sequence[str]) -> AsyncServiceInfo:
    instance = secrets.token_hex(8)
    return AsyncServiceInfo(
        SERVICE,
        f"{instance}.{SERVICE}",
        port=port,
        parsed_addresses=list(interfaces),
        properties={KEY: str(key)},
        server=f"{instance}.local.",
    )


class _Listener:
    """Asks what an instance that was heard of has to say."""

    def __init__(self, network: AsyncZeroconf, own: str, nearby: Nearby) -> None:
        self._network = network
        self._own = own
        self._nearby = nearby
        self._questions: set[asyncio.Task[None]] = set()

    def changed(
        self, zeroconf: zeroconf.Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        """As the browser calls it, by these names."""
        if state_change is ServiceStateChange.Removed or name == self._own:
            return
        if len(self._questions) < MAX_QUESTIONS:
            question = asyncio.ensure_future(self._ask(service_type, name))
            self._questions.add(question)
            question.add_done_callback(self._questions.discard)

    async def _ask(self, service_type: str, name: str) -> None:
        try:
            info = AsyncServiceInfo(service_type, name)
            if await info.async_request(self._network.zeroconf, _QUESTION_MS):
                for key, address in heard_in(info):
                    self._nearby.heard(key, address)
        except (OSError, RuntimeError, zeroconf.Error) as error:
            log.debug("an instance of mDNS has not answered: %s", error)


def heard_in(info: zeroconf.ServiceInfo) -> list[tuple[KeyId, Address]]:
    """What an instance says; nothing, if it is none of a node."""
    text = info.properties.get(KEY.encode()) or b""
    try:
        key = KeyId.parse(text.decode("ascii"))
    except (UnicodeDecodeError, FedLoomError):
        return []
    if not info.port:
        return []
    return [(key, Address(host, info.port)) for host in info.parsed_addresses(IPVersion.V4Only)]
