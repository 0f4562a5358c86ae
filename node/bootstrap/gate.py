"""How the offices below reach this one: what its settings say of its own broker."""

from __future__ import annotations

from yarl import URL

from node.config import Settings
from node.relay.broker_accounts import BrokerAccounts
from node.relay.enroller import Gate
from node.relay.topology import Hub


def of(settings: Settings) -> Gate:
    """The gate of an office."""
    hub = settings.hub
    if hub is None:
        return Gate(address=None, accounts=None)
    own = URL(hub.broker)
    # The hub's own account may do everything on its broker: it is not for a child.
    address = URL(hub.address) if hub.address is not None else own.with_user(None)
    accounts = None
    if hub.management is not None and address.user is None:
        virtual_host = own.path.removeprefix("/") or "/"
        accounts = BrokerAccounts(hub.management, virtual_host, Hub(settings.office.id))
    return Gate(str(address), accounts)
