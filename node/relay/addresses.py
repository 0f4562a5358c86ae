"""Which addresses of brokers may be dialled: over TLS any, in the clear those of this machine.

Between machines, an address without TLS would carry passwords and items for everybody to read; it
is refused unless the office's settings allow it, and then complained of at each start.
"""

from __future__ import annotations

from ipaddress import ip_address

from yarl import URL

from node.errors import ConfigurationError

SCHEMES = ("amqps", "amqp")


def demand(address: str, *, plain_amqp: bool) -> None:
    """Raises `ConfigurationError` for an address that must not be dialled, or is none."""
    url = _url(address)
    if is_exposed(address) and not plain_amqp:
        raise ConfigurationError(
            f"the broker at {url.host} would be dialled without TLS, for others to read: write "
            "amqps:// and port 5671; or, where the way there is protected by other means, set "
            "plain_amqp = true in [relay]"
        )


def is_exposed(address: str) -> bool:
    """Whether the address leads to another machine without TLS."""
    url = _url(address)
    return url.scheme == "amqp" and not _is_loopback(url.host or "")


def _url(address: str) -> URL:
    try:
        url = URL(address)
    except ValueError:
        url = URL()
    if url.scheme not in SCHEMES or not url.host:
        # Not repeated: it may hold a password.
        raise ConfigurationError(
            "the address of a broker has the form amqps://broker.example:5671/"
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
