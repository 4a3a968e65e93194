"""Fixed addresses: where members are said to be by whoever has started this node."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from cryptography.exceptions import UnsupportedAlgorithm

from mesh.members import Members
from mesh.tls import connecting_context
from shared.address import Address
from shared.security.certificate import SERVER_NAME, key_in
from shared.security.key_id import KeyId
from shared.security.keys import KeyUnusable

TIMEOUT_S = 10.0
FIRST_S, LONGEST_S = 1.0, 60.0
"""Between two attempts at an address."""

KeyAt = Callable[[Address], Awaitable[KeyId]]

log = logging.getLogger(__name__)


async def find_at(address: Address, members: Members, key_at: KeyAt) -> None:
    """Return once a member has answered at an address, which is kept as one of its.

    The address stands for whoever is there, so that it is asked for a key, and nothing is said. Who answers
    without being a member may become one: then it counts.
    """
    changed = asyncio.Event()
    members.watch(changed.set)
    wait_s, said, there = FIRST_S, "", None
    while True:
        try:
            there = await key_at(address)
            words = f"at {address} is a node with the key {there.short}…, which is not trusted here: pair it"
        except (OSError, TimeoutError, ValueError, KeyUnusable, UnsupportedAlgorithm) as error:
            words = f"no node answers at {address} ({error or 'it took too long'}); it is asked again"
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while there not in members.all():
                    if words != said:
                        log.warning("%s", words)
                        said = words
                    changed.clear()
                    await changed.wait()
        if there is not None and there in members.all():
            members.found(there, address)
            return
        wait_s = min(2 * wait_s, LONGEST_S)


async def find_all(addresses: Sequence[Address], members: Members) -> None:
    """The same at several addresses at once."""
    async with asyncio.TaskGroup() as finding:
        for address in addresses:
            finding.create_task(find_at(address, members, key_at))


async def key_at(address: Address) -> KeyId:
    """Whose certificate is shown at an address; its owner has proven to have the key. Raises OSError, and
    ValueError or KeyUnusable for one that is none of a node."""
    async with asyncio.timeout(TIMEOUT_S):
        _, writer = await asyncio.open_connection(
            *address, ssl=connecting_context(), server_hostname=SERVER_NAME
        )
    try:
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return key_in(ssl.DER_cert_to_PEM_cert(certificate or b"").encode()).id
    finally:
        writer.transport.abort()
