"""Connecting for somebody else: only to addresses of the public network, whatever a name resolves to at that moment."""

import ipaddress
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from time import monotonic
from typing import Any, Final

from kabao.outgoing.post import NoAnswer

Resolve = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_SPECIAL: Final = tuple(
    map(ipaddress.ip_network, ("100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "64:ff9b:1::/48", "fec0::/10"))
)


@cache
def public_tls() -> ssl.SSLContext:
    """Return the context that trusts the machine's roots; read once a process, since reading them takes a while."""
    return ssl.create_default_context()


def is_public(address: str) -> bool:
    """Tell whether a numeric address belongs to the public network, also the IPv4 address inside an IPv6 one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inside: ipaddress.IPv4Address | None = None
    if isinstance(found, ipaddress.IPv6Address):
        teredo = found.teredo[1] if found.teredo else None
        wrapped = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF) if found in _NAT64 else None
        inside = found.ipv4_mapped or found.sixtofour or teredo or wrapped
    if inside is not None:
        return is_public(str(inside))
    is_special = any(found.version == net.version and found in net for net in _SPECIAL)
    return found.is_global and not found.is_multicast and not found.is_reserved and not is_special


def connect_public(
    host: str,
    port: int,
    seconds: float,
    *,
    resolve: Resolve = socket.getaddrinfo,
    permits: Callable[[str], bool] = is_public,
) -> socket.socket:
    """Connect to a host by name, to the very address that was looked at, so that no second answer can differ.

    Raises NoAnswer where a name has any address that is not public, and OSError where none can be reached in `seconds`.
    """
    ends = monotonic() + seconds
    found = resolve(host, port, type=socket.SOCK_STREAM)
    if not found or not all(permits(str(place[0])) for *_, place in found):
        raise NoAnswer("not an address of the public network")
    for family, kind, protocol, _, place in found:
        connected = socket.socket(family, kind, protocol)
        with suppress(OSError):
            connected.settimeout(max(ends - monotonic(), 0.001))
            connected.connect(place)
            return connected
        connected.close()
    raise TimeoutError if monotonic() >= ends else ConnectionError
