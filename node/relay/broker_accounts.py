"""The accounts with which offices below dial up, on a hub's broker.

An account is named exactly as the child's node: the broker then vouches for who sent a message. It
may write to the hub's exchange for what goes up, read its own three queues, and configure nothing,
as `deploy/rabbitmq/add-child.sh` has it. Everything here can be repeated, whenever it was killed.
When an account opens and closes is decided elsewhere; no password is kept here.

An account is touched only where it is a child's and nothing else: without tags, and without
permissions but those of this child on this hub.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import httpx
import structlog

from node.relay.errors import BrokerAccountError, BrokerManagementError
from node.relay.management import client, path
from node.relay.topology import Hub
from protocol.identifiers import NodeId

log = structlog.get_logger()

MOST_CONNECTIONS = 8
MOST_CHANNELS = 32
"""A node holds two connections with up to five channels each; more is a mistake or an attack."""

PASSWORD_BYTES = 32


def new_password(randomness: Callable[[int], bytes]) -> str:
    """A password of characters that an address need not spell differently."""
    return base64.urlsafe_b64encode(randomness(PASSWORD_BYTES)).rstrip(b"=").decode()


class BrokerAccounts:
    """The children's accounts on one hub's broker, through its management API.

    Every call raises `BrokerAccountError` where the account belongs to somebody else, and
    `BrokerManagementError` where the API does not answer or refuses.
    """

    def __init__(self, management: str, virtual_host: str, hub: Hub) -> None:
        self._management = management
        self._virtual_host = virtual_host
        self._hub = hub

    async def create(self, child: NodeId, password: str | None) -> None:
        """Make the account, or give the one that is there this password; it is open afterwards.

        Without a password, none opens it: the child's certificate does.

        1. The account with its password, which may do nothing yet.
        2. The limits of its connections.
        3. Its permissions.
        """
        async with self._api(child) as api:
            await self._demand_childs(api, child)
            # 1.
            login = {"password_hash": ""} if password is None else {"password": password}
            await _put_user(api, child, {**login, "tags": ""})
            # 2., 3.
            await self._open(api, child)
        log.info("broker.account_open", hub=self._hub.node, child=child)

    async def close(self, child: NodeId) -> None:
        """Take everything from the account but its password. An absent account stays absent.

        1. No new connections: a limit of none.
        2. No permissions. A channel that is open remembers what it was allowed, therefore
        3. the connections that are open are closed.
        """
        async with self._api(child) as api:
            if await self._demand_childs(api, child):
                # 1.
                await self._limit(api, child, connections=0)
                # 2.
                await _do(api, "DELETE", path("permissions", self._virtual_host, child))
                # 3.
                await _do(api, "DELETE", path("connections", "username", child))
        log.info("broker.account_closed", hub=self._hub.node, child=child)

    async def reopen(self, child: NodeId) -> None:
        """Give a closed account back what it had. Raises `BrokerAccountError` if it is absent."""
        async with self._api(child) as api:
            if not await self._demand_childs(api, child):
                raise BrokerAccountError(f"the broker has no account {child}: make a new one")
            await self._open(api, child)
        log.info("broker.account_open", hub=self._hub.node, child=child)

    async def remove(self, child: NodeId) -> None:
        """Remove the account for good; the broker closes its connections."""
        async with self._api(child) as api:
            if await self._demand_childs(api, child):
                await _do(api, "DELETE", path("users", child))
        log.info("broker.account_removed", hub=self._hub.node, child=child)

    def permissions(self, child: NodeId) -> dict[str, str]:
        """What a child may do in the hub's virtual host."""
        up, down = f"zt[.]{self._hub.node}[.]up", f"zt[.]{self._hub.node}[.]to[.]{child}"
        return {
            "configure": "^$",
            "write": f"^{up}$",
            "read": f"^{down}([.](blob|dead))?$",
        }

    async def _open(self, api: httpx.AsyncClient, child: NodeId) -> None:
        await self._limit(api, child, connections=MOST_CONNECTIONS)
        place = path("permissions", self._virtual_host, child)
        await _do(api, "PUT", place, self.permissions(child))

    async def _limit(self, api: httpx.AsyncClient, child: NodeId, *, connections: int) -> None:
        for name, value in (("max-connections", connections), ("max-channels", MOST_CHANNELS)):
            await _do(api, "PUT", path("user-limits", child, name), {"value": value})

    async def _demand_childs(self, api: httpx.AsyncClient, child: NodeId) -> bool:
        """Whether the account is there. Raises `BrokerAccountError` if it is somebody else's."""
        answer = await _do(api, "GET", path("users", child))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return False
        held = (await _do(api, "GET", path("users", child, "permissions"))).json()
        own = {"user": child, "vhost": self._virtual_host, **self.permissions(child)}
        if child == self._hub.node or answer.json()["tags"] or any(one != own for one in held):
            raise BrokerAccountError(
                f"the broker's account {child} has other rights already: "
                "give every hub a virtual host of its own, and its children other names"
            )
        return True

    @asynccontextmanager
    async def _api(self, child: NodeId) -> AsyncIterator[httpx.AsyncClient]:
        try:
            async with client(self._management) as api:
                yield api
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            hint = ""
            if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
                hint = ": the account in [hub] management needs the tag administrator"
            raise BrokerManagementError(
                f"the broker's management API answers {status} for the account {child}{hint}"
            ) from error
        except (httpx.HTTPError, ValueError) as error:
            raise BrokerManagementError(
                f"the broker's management API does not answer ({type(error).__name__})"
            ) from error


async def _put_user(api: httpx.AsyncClient, child: NodeId, login: Mapping[str, object]) -> None:
    """Make the user, or change the one that is there.

    The broker answers 400 to the second of two who make the same user at the same moment (a command
    beside the running node); by then the user is there, and the same call changes it.
    """
    try:
        await _do(api, "PUT", path("users", child), login)
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.BAD_REQUEST:
            raise
        await _do(api, "PUT", path("users", child), login)


async def _do(
    api: httpx.AsyncClient,
    method: str,
    place: str,
    body: Mapping[str, object] | None = None,
) -> httpx.Response:
    """One call; what is to be read or taken away may be absent already."""
    answer = await api.request(method, place, json=body)
    if method == "PUT" or answer.status_code != httpx.codes.NOT_FOUND:
        answer.raise_for_status()
    return answer
